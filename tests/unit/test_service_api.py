"""Requests are routed, parsed, checked and answered as a service model says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.request_validation import validation_errors
from coldstart.cloud.service_api import ServiceApi, request_headers
from coldstart.runtime.http_wire import HttpRequest

ARN = "arn:aws:lambda:us-east-1:123456789012:function:parcel"


class Recorder:
    """Knows some operations, remembers what it was asked and answers what it was told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.answer: dict[str, Any] | None = {}

    def __getattr__(self, name: str) -> Any:
        if name == "get_account_settings" or name.startswith("__"):
            raise AttributeError(name)

        def operation(region: str, params: dict[str, Any]) -> dict[str, Any] | None:
            self.asked.append((name, region, params))
            return self.answer

        return operation


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def api(recorder: Recorder) -> ServiceApi:
    return ServiceApi("lambda", [recorder])


def ask(api: ServiceApi, method: str, target: str, body: object = b"", headers: dict[str, str] | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = api.answer(HttpRequest(method, target, headers or {}, raw), "eu-west-1")
    if response is None:
        return None
    head, _, content = response.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), content


def test_parameters_come_from_path_query_header_and_body(api: ServiceApi, recorder: Recorder) -> None:
    target = f"/2015-03-31/functions/{quote(ARN, safe='')}/invocations?Qualifier=live"
    ask(api, "POST", target, b'{"a": 1}', {"x-amz-log-type": "Tail"})
    ask(api, "PUT", "/2015-03-31/functions/parcel/configuration", {"MemorySize": 256, "Nonsense": 1, "Role": None})
    ask(api, "GET", "/2015-03-31/functions/?MaxItems=7")
    ask(api, "DELETE", f"/2017-03-31/tags/{quote(ARN, safe='')}?tagKeys=a&tagKeys=b%20c")
    assert recorder.asked == [
        (
            "invoke",
            "eu-west-1",
            {"FunctionName": ARN, "Qualifier": "live", "LogType": "Tail", "Payload": b'{"a": 1}'},
        ),
        ("update_function_configuration", "eu-west-1", {"FunctionName": "parcel", "MemorySize": 256}),
        ("list_functions", "eu-west-1", {"MaxItems": 7}),
        ("untag_resource", "eu-west-1", {"Resource": ARN, "TagKeys": ["a", "b c"]}),
    ]


def test_blobs_and_times_are_decoded(api: ServiceApi, recorder: Recorder) -> None:
    ask(api, "PUT", "/2015-03-31/functions/parcel/code", {"ZipFile": "UEsD"})
    ask(api, "GET", "/2025-12-01/functions/parcel/durable-executions?StartedAfter=2026-11-23T08%3A00%3A00Z")
    assert recorder.asked[0][2]["ZipFile"] == b"PK\x03"
    assert recorder.asked[1][2]["StartedAfter"] == 1_795_420_800.0


def test_the_query_string_chooses_between_operations_of_one_path(api: ServiceApi, recorder: Recorder) -> None:
    ask(api, "GET", "/2019-09-30/functions/parcel/provisioned-concurrency?List=ALL")
    ask(api, "GET", "/2019-09-30/functions/parcel/provisioned-concurrency?Qualifier=1")
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:labels:1"
    ask(api, "GET", f"/2018-10-31/layers?find=LayerVersion&Arn={arn}")
    ask(api, "GET", "/2018-10-31/layers")
    assert [name for name, _, _ in recorder.asked] == [
        "list_provisioned_concurrency_configs",
        "get_provisioned_concurrency_config",
        "get_layer_version_by_arn",
        "list_layers",
    ]


def test_what_no_handler_knows_is_left_to_others(api: ServiceApi) -> None:
    assert ask(api, "GET", "/2016-08-19/account-settings") is None
    assert ask(api, "GET", "/no/such/path") is None
    assert ask(api, "GET", "") is None


def test_an_earlier_handler_goes_before_a_later_one(recorder: Recorder) -> None:
    later = Recorder()
    api = ServiceApi("lambda", [recorder, later])
    ask(api, "GET", "/2015-03-31/functions")
    assert len(recorder.asked) == 1
    assert later.asked == []


def test_results_become_status_headers_and_json(api: ServiceApi, recorder: Recorder) -> None:
    recorder.answer = {"FunctionName": "parcel", "MemorySize": 128, "Role": None, "Unknown": 1}
    status, headers, content = ask(api, "GET", "/2015-03-31/functions/parcel/configuration")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(content) == {"FunctionName": "parcel", "MemorySize": 128}
    recorder.answer = {
        "StatusCode": 202,
        "ExecutedVersion": "7",
        "Payload": b"\x00raw",
        "ResponseMetadata": {"RequestId": "chosen"},
    }
    status, headers, content = ask(api, "POST", "/2015-03-31/functions/parcel/invocations")
    assert (status, headers["X-Amz-Executed-Version"], headers["x-amzn-RequestId"]) == (202, "7", "chosen")
    assert content == b"\x00raw"
    recorder.answer = None
    assert ask(api, "DELETE", "/2015-03-31/functions/parcel/aliases/live")[::2] == (204, b"")


def test_times_in_results_are_epoch_seconds(api: ServiceApi, recorder: Recorder) -> None:
    recorder.answer = {"UUID": "u", "LastModified": 1_795_420_800.1234}
    _, _, content = ask(api, "GET", "/2015-03-31/event-source-mappings/91eaeb7e-c976-1234-9451-8709db01f137")
    assert json.loads(content) == {"UUID": "u", "LastModified": 1_795_420_800.123}


def test_handlers_can_read_the_headers(recorder: Recorder) -> None:
    class Tracing:
        def list_functions(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
            return {"NextMarker": request_headers.get()["x-amzn-trace-id"]}

    _, _, content = ask(
        ServiceApi("lambda", [Tracing()]), "GET", "/2015-03-31/functions", b"", {"x-amzn-trace-id": "t"}
    )
    assert json.loads(content) == {"NextMarker": "t"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"MemorySize": 3},
            "1 validation error detected: Value '3' at 'memorySize' failed to satisfy constraint: "
            "Member must have value greater than or equal to 128",
        ),
        (
            {"Timeout": -1, "PublishTo": "nowhere"},
            "1 validation error detected: Value '-1' at 'timeout' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"Role": "parcel-role", "KMSKeyArn": "key"},
            "2 validation errors detected: Value 'parcel-role' at 'role' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: "
            r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+; Value 'key' at 'kMSKeyArn' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
        ),
        (
            {"SnapStart": {"ApplyOn": "Always"}},
            "1 validation error detected: Value 'Always' at 'snapStart.applyOn' failed to satisfy constraint: "
            "Member must satisfy enum value set: [PublishedVersions, None]",
        ),
    ],
)
def test_faults_are_named_in_awss_words(api: ServiceApi, recorder: Recorder, body: object, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        ask(api, "PUT", "/2015-03-31/functions/parcel/configuration", body)
    assert (refused.value.status, refused.value.code) == (400, "ValidationException")
    assert refused.value.message == message
    assert recorder.asked == []


def test_what_is_missing_is_null(api: ServiceApi) -> None:
    with pytest.raises(
        AwsError, match="Value null at 'functionVersion' failed to satisfy constraint: Member must not be null"
    ):
        ask(api, "POST", "/2015-03-31/functions/parcel/aliases", {"Name": "live"})


def test_faults_in_a_list_show_the_whole_list_and_all_constraints(api: ServiceApi) -> None:
    with pytest.raises(AwsError) as refused:
        ask(api, "PUT", "/2015-03-31/functions/parcel/configuration", {"Layers": ["labels"]})
    assert refused.value.message.startswith(
        "1 validation error detected: Value '[labels]' at 'layers' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, "
    )


def test_a_sensitive_value_is_not_repeated(api: ServiceApi) -> None:
    shape = api._model.operation_model("UpdateFunctionConfiguration").input_shape
    faults = validation_errors(shape, {"FunctionName": "f", "Environment": {"Variables": {"1": "secret"}}})
    assert "secret" not in "".join(faults)
    assert len(faults) == 1


def test_members_can_be_left_to_the_handlers(recorder: Recorder) -> None:
    api = ServiceApi("lambda", [recorder], unchecked=["UpdateFunctionConfigurationRequest.MemorySize"])
    ask(api, "PUT", "/2015-03-31/functions/parcel/configuration", {"MemorySize": 3})
    assert recorder.asked[0][2]["MemorySize"] == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Could not parse request body into json"),
        (b"[]", "must be a JSON object"),
        ({"Role": 3}, "NUMBER_VALUE can not be converted to a String"),
        ({"Role": True}, "TRUE_VALUE can not be converted to a String"),
        ({"Role": {}}, "Start of structure or map found where not expected."),
        ({"Layers": "x"}, "Expected list or null"),
        ({"Environment": "x"}, "Unexpected field type"),
        ({"Timeout": "x"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Timeout": 1.5}, "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"Timeout": Infinity}', "NUMBER_VALUE can not be converted to an Integer"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(api: ServiceApi, body: object, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        ask(api, "PUT", "/2015-03-31/functions/parcel/configuration", body)
    assert refused.value.code == "SerializationException"
    assert message in refused.value.message


def test_bad_base64_and_bad_numbers_are_refused(api: ServiceApi) -> None:
    with pytest.raises(AwsError, match="SerializationException"):
        ask(api, "PUT", "/2015-03-31/functions/parcel/code", {"ZipFile": "%%%"})
    with pytest.raises(AwsError, match="SerializationException"):
        ask(api, "GET", "/2015-03-31/functions?MaxItems=many")
