"""Custom resources: a stack asks a function to make, change or delete something, and waits for its answer.

moto asks once, at an address that functions do not reach, and gives ``Fn::GetAtt`` before the answer is there. Here the function
gets a presigned S3 address, as from CloudFormation, and the stack goes on with the answer.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.role_clients import RoleClients
from coldstart.events.invoker import Invoker
from coldstart.runtime.identifiers import Identifiers

_PRESIGNED_SECONDS = 7200


class CustomResources:
    """The model of ``Custom::...`` and ``AWS::CloudFormation::CustomResource``, as moto's parsing of templates wants it."""

    def __init__(self, invoker: Invoker, clients: RoleClients, identifiers: Identifiers, account_id: str) -> None:
        self._invoker = invoker
        self._clients = clients
        self._identifiers = identifiers
        self._role = f"arn:aws:iam::{account_id}:role/aws-service-role/cloudformation.amazonaws.com/CloudFormation"

    @staticmethod
    def is_type(resource_type: str) -> bool:
        """Say whether a template's type is that of a custom resource."""
        return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"

    def has_cfn_attr(self, attribute: str) -> bool:
        """Say that any attribute may be asked for: only the function knows."""
        return True

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **stack: Any
    ) -> CustomResource:
        """Ask the function for a new resource."""
        request = {
            "StackId": stack["StackId"],
            "LogicalResourceId": stack["LogicalId"],
            "ResourceType": stack["ResourceType"],
        }
        properties = _as_text(cloudformation_json["Properties"])
        answer = self.ask(region_name, {"RequestType": "Create", **request, "ResourceProperties": properties})
        return CustomResource(self, request, properties, answer, cloudformation_json)

    def update_from_cloudformation_json(
        self,
        original_resource: CustomResource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> CustomResource:
        """Ask the function to change a resource; when it answers with another id, it has to delete the old one."""
        properties = _as_text(cloudformation_json["Properties"])
        request = original_resource.request
        answer = self.ask(
            region_name,
            {
                "RequestType": "Update",
                **request,
                "PhysicalResourceId": original_resource.physical_resource_id,
                "ResourceProperties": properties,
                "OldResourceProperties": original_resource.properties,
            },
        )
        changed = CustomResource(self, request, properties, answer, cloudformation_json)
        if changed.physical_resource_id != original_resource.physical_resource_id:
            original_resource.delete(account_id, region_name)
        return changed

    def ask(self, region: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke the function, and return what it has put at the ResponseURL.

        Raises:
            AwsError: it answered FAILED, or not at all.
        """
        request_id = self._identifiers.uuid()
        function = request["ResourceProperties"]["ServiceToken"]
        s3 = self._clients.of("s3", region, self._role)
        bucket = f"cloudformation-custom-resource-response-{request_id[:8]}"
        s3.create_bucket(Bucket=bucket, **_in_region(region))
        try:
            place = {"Bucket": bucket, "Key": request_id}
            event = {
                **request,
                "RequestId": request_id,
                "ServiceToken": function,
                "ResponseURL": s3.generate_presigned_url(
                    "put_object", Params={**place, "ContentType": ""}, ExpiresIn=_PRESIGNED_SECONDS
                ),
            }
            self._invoker.invoke(function, json.dumps(event).encode(), region=region)
            answer = _read(s3, place)
        finally:
            with contextlib.suppress(ClientError):
                s3.delete_object(Bucket=bucket, Key=request_id)
            s3.delete_bucket(Bucket=bucket)
        if answer is None:
            raise AwsError(
                400,
                "ValidationError",
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                f"requestId [{request_id}].",
            )
        if answer.get("Status") != "SUCCESS":
            raise AwsError(
                400,
                "ValidationError",
                f"Received response status [{answer.get('Status')}] from custom resource. Message returned: "
                f"{answer.get('Reason')} (RequestId: {request_id})",
            )
        return answer


class CustomResource:
    """One custom resource, as moto keeps it in a stack."""

    logical_resource_id: str
    cf_resource_type: str

    def __init__(
        self,
        model: CustomResources,
        request: dict[str, Any],
        properties: dict[str, Any],
        answer: Mapping[str, Any],
        cloudformation_json: Mapping[str, Any],
    ) -> None:
        self._model = model
        self.request = request
        self.properties = properties
        self.physical_resource_id: str = answer["PhysicalResourceId"]
        """What ``Ref`` gives: the function chose it."""
        self._data = answer.get("Data") or {}
        self._is_retained = cloudformation_json.get("DeletionPolicy") == "Retain"

    def get_cfn_attribute(self, attribute: str) -> Any:
        """Return a member of the answer's Data."""
        if attribute not in self._data:
            raise AwsError(
                400,
                "ValidationError",
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in object "
                f"{self.request['StackId']}|{self.request['LogicalResourceId']}",
            )
        return self._data[attribute]

    def is_created(self) -> bool:
        """Say that it is there."""
        return True

    def delete(self, account_id: str, region: str) -> None:
        """Ask the function to delete what it has made."""
        if self._is_retained:
            return
        self._model.ask(
            region,
            {
                "RequestType": "Delete",
                **self.request,
                "PhysicalResourceId": self.physical_resource_id,
                "ResourceProperties": self.properties,
            },
        )


def _as_text(value: Any) -> Any:
    """Return properties as functions get them: CloudFormation makes texts of numbers and booleans."""
    if isinstance(value, Mapping):
        return {name: _as_text(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _in_region(region: str) -> dict[str, Any]:
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _read(s3: Any, place: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        answer = json.loads(s3.get_object(**place)["Body"].read())
    except (ClientError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
