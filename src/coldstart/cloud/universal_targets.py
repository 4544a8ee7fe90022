"""EventBridge Scheduler's universal targets: any operation of any service, such as ``arn:aws:scheduler:::aws-sdk:sqs:sendMessage``.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from coldstart.cloud.event_targets import Delivery, TargetRefused
from coldstart.cloud.role_clients import RoleClients

_SERVICES = {"eventbridge": "events", "sfn": "stepfunctions"}
"""Names in the ARN that are not botocore's."""


def universal_target(clients: RoleClients) -> Callable[[Delivery], None]:
    """Return what calls the operation that an ARN names, with the permissions of the schedule's role."""

    def call(delivery: Delivery) -> None:
        service, operation = delivery.arn.rpartition(":aws-sdk:")[2].split(":", 1)
        try:
            client = clients.of(
                _SERVICES.get(service, service), delivery.parameters["Region"], delivery.parameters["RoleArn"]
            )
            getattr(client, xform_name(operation))(**json.loads(delivery.body))
        except ClientError as error:
            raise TargetRefused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from None
        except (BotoCoreError, AttributeError, TypeError, ValueError) as error:
            raise TargetRefused("SDK_CLIENT_ERROR", str(error)) from None

    return call
