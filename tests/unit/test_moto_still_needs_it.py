"""Whether moto still has what our corrections correct: a correction whose line is gone can be looked at again, and deleted."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

CORRECTED = [
    ("moto.core.common_models", "cls.instances_tracked.append(instance)"),
    ("moto.s3.models", "return iam_policy.is_action_permitted(action, resource)"),
    ("moto.kms.models", 'self.keys[key_id].key_state = "Disabled"\n\n    def enable_key'),
    ("moto.secretsmanager.models", "lambda_backend.get_function(secret.rotation_lambda_arn)"),
    ("moto.stepfunctions.parser.models", "exec_name = name  # TODO: validate name format"),
    ("moto.stepfunctions.parser.api", "from ..exceptions import AWSError as ServiceException"),
    ("moto.stepfunctions.parser.asl.component.common.retry.retrier_decl", "time.sleep(interval_seconds)"),
    ("moto.stepfunctions.parser.asl.utils.boto_client", 'f"http://localhost:{moto_server_port()}"'),
    ("moto.stepfunctions.parser.asl.jsonata.jsonata", "        _eval_jsonata = None\n    return _eval_jsonata("),
    ("moto.stepfunctions.parser.asl.component.intrinsic.jsonata", "Function $uuid is currently not supported"),
    ("moto.s3.responses", 'assert filter_rule["Name"] in ["suffix", "prefix"]'),
    ("moto.core.utils", "return datetime.datetime.now(UTC).replace(tzinfo=None)"),
    ("moto.awslambda.models", "arn:aws:sns:EXAMPLE"),
    ("moto.logs.utils", "current_type = UnsupportedFilterPattern"),
    ("moto.logs.models", "if len(self.subscription_filters) == 2:"),
    ("moto.events.models", 'raise NotImplementedError(f"Expr not defined for {type(self)}")'),
    ("moto.apigateway.models", "deployment = Deployment(deployment_id, name, description)\n        self.deployments"),
    ("moto.apigateway.models", 'if api_doc.get("swagger") is not None or ('),
    ("moto.apigateway.models", "self.binaryMediaTypes.append(value)"),
    ("moto.apigateway.models", "from openapi_spec_validator import validate"),
    (
        "moto.iam.models",
        "for partition in PARTITION_NAMES:\n            if access_key in account[partition].access_keys:",
    ),
    ("moto.backends", "for backend in sorted(os.listdir(path)):"),
    ("moto.iam.models", "self.aws_managed_policies = self._init_aws_policies()"),
    (
        "moto.apigatewayv2.models",
        "The following parameters have not yet been implemented: CredentialsArn, RouteKey, Target",
    ),
    ("moto.sqs.models", "result = get_backend(self.account_id, self.region).send_sqs_batch("),
    ("moto.kinesis.models", "self.put_record(record.partition_key, record.explicit_hash_key, record.data)"),
    ("moto.dynamodb.models", "item = table.get_item(hash_value, range_value)\n        orig_item = copy.deepcopy(item)"),
    ("moto.dynamodb.models.table", "result = get_backend(self.account_id, region).send_dynamodb_items("),
    ("moto.s3.notifications", "key_name = quote_plus(key.name)"),
    ("moto.cloudwatch.models", 'if stat == "SampleCount":\n            return self.sample_count\n        return None'),
    ("moto.cloudwatch.models", "if sorted(md.dimensions) == sorted(dimensions)"),
    ("moto.cloudwatch.models", 'self.state_value = "OK"'),
    ("moto.logs.metric_filters", "self.metric_filters.append("),
    ("moto.logs.logs_query.query_parser", 'if characters.lower() in ["fields", "limit", "sort"]:'),
    ("moto.logs.responses", 'interleaved = self._get_param("interleaved", False)'),
    ("moto.xray.models", '"Annotations": {},  # Not implemented yet'),
    ("moto.sqs.models", "self.system_attributes = system_attributes or {}"),
    ("moto.cloudformation.models", "return validate_template_cfn_lint(template)"),
    ("moto.cloudformation.models", "return self.get_stack(name_or_stack_id).template"),
    ("moto.cloudformation.models", "stack = self.stacks.pop(name_or_stack_id)\n            export_names"),
    ("moto.cloudformation.models", "if self.change_sets[cs].change_set_name == change_set_name:"),
    ("moto.apigateway.models", 'int_method = properties["Integration"]["IntegrationHttpMethod"]'),
    ("moto.kms.models", 'policy=properties["KeyPolicy"],'),
    (
        "moto.iam.models",
        "return iam_backend.update_role(\n            role_name, role_description, max_session_duration",
    ),
    (
        "moto.sns.models",
        "original_resource.delete(account_id, region_name)\n        return cls.create_from_cloudformation_json(",
    ),
    ("moto.sqs.models", "if key in integer_fields:\n                value = int(value)"),
]


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize(("module", "line"), CORRECTED)
def test_the_line_is_still_there(module, line):
    assert line in _source(module)


def test_iam_has_no_policy_simulator_of_its_own():
    assert "def simulate_" not in _source("moto.iam.responses")


def test_sqs_has_no_message_move_tasks_of_its_own():
    assert "move_task" not in _source("moto.sqs.responses")


def test_step_functions_has_no_synchronous_executions_of_its_own():
    assert "def start_sync_execution" not in _source("moto.stepfunctions.responses")


def test_dynamodb_does_not_count_the_items_of_a_batch():
    assert "requested for the BatchWriteItem call" not in _source("moto.dynamodb.responses")


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("moto.dynamodb.models.table", "def update_from_cloudformation_json"),
        ("moto.stepfunctions.models", "DefinitionSubstitutions"),
        ("moto.s3.models", '"VersioningConfiguration" in properties'),
        ("moto.cognitoidp.models", "cloudformation"),
        ("moto.apigateway.models", "AWS::ApiGateway::Authorizer"),
    ],
)
def test_stacks_cannot_do_it_with_motos_own_models(module, missing):
    assert missing not in _source(module)


@pytest.mark.parametrize("module", ["moto.pipes.models", "moto.cognitoidp.models", "moto.codedeploy.models"])
def test_what_is_refused_would_still_call_no_function(module):
    assert ".invoke(" not in _source(module)
