"""Corrections to moto 5.2.5, each a small module with the reason, the moto file it corrects and a test that tells when moto has caught up."""

from __future__ import annotations

from coldstart.cloud.moto_patches import (
    bucket_policies,
    clock,
    dynamodb_atomic_items,
    dynamodb_batches,
    dynamodb_stream_records,
    http_apis,
    kinesis_records,
    kms_key_states,
    log_events,
    log_filter_patterns,
    log_queries,
    managed_policies,
    message_lineage,
    message_move_tasks,
    never_run,
    openapi_validator,  # noqa: F401  (works by being imported, before the REST APIs)
    policy_simulator,
    queue_attributes,
    queue_messages,
    rest_api_deployments,
    rest_api_documents,
    rest_api_settings,
    s3_notification_configuration,
    synchronous_executions,
)

_PATCHES = (
    bucket_policies,
    clock,
    dynamodb_atomic_items,
    dynamodb_batches,
    dynamodb_stream_records,
    http_apis,
    kinesis_records,
    kms_key_states,
    log_events,
    log_filter_patterns,
    log_queries,
    managed_policies,
    message_lineage,
    message_move_tasks,
    never_run,
    policy_simulator,
    queue_attributes,
    queue_messages,
    rest_api_deployments,
    rest_api_documents,
    rest_api_settings,
    s3_notification_configuration,
    synchronous_executions,
)


def apply_all() -> None:
    """Apply every correction; again is as good as once."""
    for patch in _PATCHES:
        patch.apply()
