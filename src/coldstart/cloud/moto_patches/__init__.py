"""Corrections to moto 5.2.5, each a small module with the reason, the moto file it corrects and a test that tells when moto has caught up."""

from __future__ import annotations

import pkgutil
from functools import partial

from coldstart.cloud.moto_loading import before_loading, watch, when_loaded
from coldstart.cloud.moto_patches import clock, instance_tracking, openapi_validator

_OF_SERVICE = {
    "apigateway": ("rest_api_deployments:apply", "rest_api_documents:apply", "rest_api_settings:apply"),
    "apigatewayv2": ("http_apis:apply",),
    "codedeploy": ("never_run:refuse_deployments",),
    "cognitoidp": ("never_run:refuse_triggers",),
    "dynamodb": ("dynamodb_atomic_items:apply", "dynamodb_batches:apply", "dynamodb_stream_records:apply"),
    "iam": ("managed_policies:apply", "policy_simulator:apply"),
    "kinesis": ("kinesis_records:apply",),
    "kms": ("kms_key_states:apply",),
    "logs": ("log_events:apply", "log_filter_patterns:apply", "log_queries:apply"),
    "pipes": ("never_run:refuse_pipes",),
    "s3": ("bucket_policies:apply", "s3_notification_configuration:apply"),
    "sqs": ("message_lineage:apply", "message_move_tasks:apply", "queue_attributes:apply", "queue_messages:apply"),
    "stepfunctions": ("synchronous_executions:apply",),
}
"""What corrects a service when moto loads it, in this order."""


def apply_all() -> None:
    """Correct what is loaded of moto, and everything else as soon as it is; again is as good as once."""
    if not watch(clock.correct):
        return
    instance_tracking.apply()
    before_loading("moto.apigateway.models", openapi_validator.stand_in)
    when_loaded("moto.apigateway.models", openapi_validator.stand_back)
    for service, corrections in _OF_SERVICE.items():
        for correction in corrections:
            when_loaded(f"moto.{service}.models", partial(_apply, correction))


def _apply(correction: str) -> None:
    pkgutil.resolve_name(f"{__name__}.{correction}")()
