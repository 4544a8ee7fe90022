"""Traces in X-Ray: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html, and its API."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed, zipped

ACTIVE = {"Mode": "Active"}
PLAIN = "def handler(event, context):\n    if event.get('fails'):\n        raise ValueError('no address')\n"
INSTRUMENTED = """
import boto3
from aws_xray_sdk.core import patch_all, xray_recorder
patch_all()
bucket = boto3.client("s3")
def handler(event, context):
    with xray_recorder.in_subsegment("price") as price:
        price.put_annotation("country", event["country"])
        price.put_annotation("parcels", 3)
        price.put_metadata("offer", {"kroner": 99})
    bucket.list_buckets()
"""
BY_HAND = """
import json, os, socket, time
def handler(event, context):
    fields = dict(field.split("=", 1) for field in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    segment = {"type": "subsegment", "id": "0102030405060708", "parent_id": fields["Parent"], "trace_id": fields["Root"],
               "name": "by hand", "start_time": time.time(), "end_time": time.time()}
    host, port = os.environ["_AWS_XRAY_DAEMON_ADDRESS"], int(os.environ["_AWS_XRAY_DAEMON_PORT"])
    datagram = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(segment)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram.encode(), (host, port))
        sender.sendto(b"nonsense", (host, port))
    return os.environ["AWS_XRAY_DAEMON_ADDRESS"] == f"{host}:{port}"
"""


class Tracing:
    """X-Ray, seen from one function of the test's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.client = boto3.client("xray")
        self._now = now

    @property
    def times(self) -> dict[str, float]:
        """The last and the next minutes."""
        return {"StartTime": self._now() - 900, "EndTime": self._now() + 900}

    def summaries(self, filter_expression: str) -> list[dict[str, Any]]:
        """What is found by a filter expression."""
        return self.client.get_trace_summaries(**self.times, FilterExpression=filter_expression)["TraceSummaries"]

    def segments(self, function: Deployed) -> dict[str, dict[str, Any]]:
        """The segments of the only trace of a function, by their origin, or name when they have none."""
        [found] = self.summaries(f'service("{function.name}")')
        [trace] = self.client.batch_get_traces(TraceIds=[found["Id"]])["Traces"]
        documents = [json.loads(segment["Document"]) for segment in trace["Segments"]]
        return {document.get("origin") or document["name"]: document for document in documents}


@pytest.fixture
def tracing(local_aws) -> Tracing:
    """X-Ray, in a cloud whose time is ahead of the functions'."""
    local_aws.clock.advance(hours=1)
    return Tracing(local_aws.clock.now)


def test_lambda_tells_of_the_service_and_of_the_function(deploy, tracing: Tracing) -> None:
    function = deploy(PLAIN, TracingConfig=ACTIVE)
    function.invoke()
    segments = tracing.segments(function)
    assert list(segments) == ["AWS::Lambda", "AWS::Lambda::Function"]
    service, own = segments.values()
    assert own["parent_id"] == service["id"]
    assert service["http"]["response"]["status"] == 200
    assert [part["name"] for part in own["subsegments"]] == ["Initialization", "Invocation", "Overhead"]
    for earlier, later in zip(own["subsegments"], own["subsegments"][1:], strict=False):
        assert earlier["start_time"] <= earlier["end_time"] == later["start_time"]
    report = next(line for line in function.lines() if line.startswith("REPORT"))
    trace_id, segment_id = own["trace_id"], own["id"]
    assert report.endswith(f"\t\nXRAY TraceId: {trace_id}\tSegmentId: {segment_id}\tSampled: true\t\n")


def test_a_warm_invocation_has_no_initialization(deploy, tracing: Tracing) -> None:
    function = deploy(PLAIN)
    function.invoke()
    function.client.update_function_configuration(FunctionName=function.name, TracingConfig=ACTIVE)
    function.invoke()
    [cold] = tracing.summaries(f'service("{function.name}")')
    function.invoke()
    warm = next(one for one in tracing.summaries(f'service("{function.name}")') if one["Id"] != cold["Id"])
    [trace] = tracing.client.batch_get_traces(TraceIds=[warm["Id"]])["Traces"]
    own = json.loads(trace["Segments"][1]["Document"])
    assert [part["name"] for part in own["subsegments"]] == ["Invocation", "Overhead"]


@pytest.mark.parametrize(
    ("mode", "sampled", "is_traced"),
    [("PassThrough", "1", True), ("PassThrough", "0", False), ("Active", "0", False), ("Active", "1", True)],
)
def test_the_callers_decision_counts(deploy, tracing: Tracing, local_aws, mode, sampled, is_traced) -> None:
    function = deploy(PLAIN, TracingConfig={"Mode": mode})
    client = boto3.client("lambda")
    header = (
        f"Root=1-{int(local_aws.clock.now()):08x}-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled={sampled}"
    )
    client.meta.events.register_first(
        "before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", header)
    )
    client.invoke(FunctionName=function.name)
    found = tracing.summaries(f'service("{function.name}")')
    assert bool(found) == is_traced
    if is_traced:
        assert found[0]["Id"] in header
        assert tracing.segments(function)["AWS::Lambda"]["parent_id"] == "53995c3f42cd8ad8"


def test_without_tracing_there_is_no_trace(deploy, tracing: Tracing) -> None:
    function = deploy(PLAIN)
    function.invoke()
    assert tracing.summaries(f'service("{function.name}")') == []


@pytest.fixture(scope="module")
def sdk_layer(local_aws) -> str:
    """The ARN of a layer with the X-Ray SDK, as pip would install it."""
    files = {}
    for package in ("aws_xray_sdk", "wrapt"):
        folder = Path(str(importlib.util.find_spec(package).origin)).parent
        for file in folder.rglob("*"):
            if file.suffix in (".py", ".json"):
                files[f"python/{package}/{file.relative_to(folder).as_posix()}"] = file.read_text(encoding="utf-8")
    layer = boto3.client("lambda").publish_layer_version(LayerName="xray-sdk", Content={"ZipFile": zipped(files)})
    return layer["LayerVersionArn"]


def test_the_xray_sdk_reaches_the_daemon(deploy, tracing: Tracing, sdk_layer: str) -> None:
    function = deploy(INSTRUMENTED, TracingConfig=ACTIVE, Timeout=10, Layers=[sdk_layer])
    assert function.invoke({"country": "NO"})["Payload"] is None
    [found] = tracing.summaries(f'service("{function.name}") AND annotation.country = "NO" AND annotation.parcels > 2')
    [value] = found["Annotations"]["country"]
    assert value["AnnotationValue"] == {"StringValue": "NO"}
    assert value["ServiceIds"][0]["Name"] == function.name
    segments = tracing.segments(function)
    own = segments["AWS::Lambda::Function"]
    parts = {part["name"]: part for part in own["subsegments"]}
    assert own["start_time"] <= parts["price"]["start_time"] <= parts["price"]["end_time"] <= own["end_time"]
    assert parts["price"]["metadata"] == {"default": {"offer": {"kroner": 99}}}
    assert segments["AWS::S3::Bucket"]["parent_id"] == parts["s3"]["id"]
    assert segments["AWS::S3::Bucket"]["inferred"] is True
    graph = tracing.client.get_service_graph(**tracing.times)["Services"]
    types = {node["ReferenceId"]: node["Type"] for node in graph}
    own = {node["Type"]: node for node in graph if node.get("Name") == function.name}
    arrows = {(kind, types[edge["ReferenceId"]]) for kind, node in own.items() for edge in node["Edges"]}
    assert arrows == {("AWS::Lambda", "AWS::Lambda::Function"), ("AWS::Lambda::Function", "AWS::S3::Bucket")}
    assert own["AWS::Lambda::Function"]["SummaryStatistics"]["OkCount"] == 1


def test_others_reach_the_daemon_too_and_nonsense_does_no_harm(deploy, tracing: Tracing) -> None:
    function = deploy(BY_HAND, TracingConfig=ACTIVE)
    assert function.invoke()["Payload"] is True
    names = [part["name"] for part in tracing.segments(function)["AWS::Lambda::Function"]["subsegments"]]
    assert "by hand" in names


FORWARDING = """
import base64, os, socket
def handler(event, context):
    fields = dict(field.split("=", 1) for field in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    spans = base64.b64decode(event["spans"])
    for old, new in ((event["trace"], fields["Root"].replace("-", "")[1:]), (event["parent"], fields["Parent"])):
        spans = spans.replace(bytes.fromhex(old), bytes.fromhex(new))
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    datagram = '{"format":"json","version":1}\\nT1S' + base64.b64encode(spans).decode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram.encode(), (host, int(port)))
"""


def test_opentelemetry_reaches_the_daemon(deploy, tracing: Tracing) -> None:
    """Spans that AWS's distribution of OpenTelemetry really sent, in the trace of this invocation."""
    recorded = Path(__file__).parents[1] / "unit" / "otlp_datagrams.txt"
    spans = recorded.read_text(encoding="utf-8").split()[-1].removeprefix("T1S")
    function = deploy(FORWARDING, TracingConfig=ACTIVE)
    function.invoke({"spans": spans, "trace": "6745af0d00000000000000000000abcd", "parent": "53995c3f42cd8ad8"})
    trace_id = next(line.split("XRAY TraceId: ")[1].split()[0] for line in function.lines() if "XRAY" in line)
    [trace] = tracing.client.batch_get_traces(TraceIds=[trace_id])["Traces"]
    documents = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    own = next(document for document in documents if document.get("origin") == "AWS::Lambda::Function")
    assert "handler" in [part["name"] for part in own["subsegments"]]


def test_a_trace_goes_on_through_other_functions(deploy, tracing: Tracing) -> None:
    labels = deploy(PLAIN)
    orders = deploy(
        "import boto3\nclient = boto3.client('lambda')\n"
        f"def handler(event, context):\n    client.invoke(FunctionName='{labels.name}')\n",
        TracingConfig=ACTIVE,
        Timeout=10,
    )
    orders.invoke()
    [found] = tracing.summaries(f'service("{labels.name}")')
    [trace] = tracing.client.batch_get_traces(TraceIds=[found["Id"]])["Traces"]
    segments = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    assert [segment["name"] for segment in segments] == [orders.name] * 2 + [labels.name] * 2
    assert segments[2]["parent_id"] == segments[1]["id"]
    assert found["EntryPoint"]["Name"] == orders.name


def test_errors_are_faults_and_can_be_filtered(deploy, tracing: Tracing) -> None:
    function = deploy(PLAIN, TracingConfig=ACTIVE)
    function.invoke({"fails": True})
    own = f'service("{function.name}")'
    [found] = tracing.summaries(f'service("{function.name}") {{ fault }}')
    assert (found["HasFault"], found["HasError"], found["Http"]["HttpStatus"]) == (True, False, 200)
    exception = tracing.segments(function)["AWS::Lambda::Function"]["cause"]["exceptions"][0]
    assert (exception["type"], exception["message"]) == ("ValueError", "no address")
    assert len(tracing.summaries(f"{own} AND http.status = 200 AND responsetime >= 0 AND !error")) == 1
    assert len(tracing.summaries(f'{own} AND message CONTAINS "address"')) == 1
    assert tracing.summaries(f"{own} AND (ok OR responsetime > 60)") == []
    assert tracing.summaries(f'service(id(name: "{function.name}", type: "AWS::Lambda")) {{ fault }}') == []


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('service("orders"', "unexpected end"),
        ("fault AND", "unexpected end"),
        ("responsetime", "responsetime"),
        ("colour = 3", "colour"),
        ('http.status = "', '"'),
    ],
)
def test_a_faulty_filter_is_refused(tracing: Tracing, expression: str, names: str) -> None:
    with pytest.raises(ClientError, match="InvalidRequestException") as refused:
        tracing.summaries(expression)
    assert names in str(refused.value)


def test_segments_can_be_put_and_faulty_ones_are_named(tracing: Tracing, local_aws) -> None:
    now = local_aws.clock.now()
    trace_id = f"1-{int(now):08x}-00000000000000000000abcd"
    good = {"id": "00000000000000aa", "trace_id": trace_id, "name": "shop", "start_time": now, "end_time": now + 2}
    good |= {"http": {"request": {"url": "http://parcel.example/", "method": "GET"}, "response": {"status": 404}}}
    bad = {"id": "00000000000000ab", "trace_id": "1-5", "name": "shop", "start_time": now, "end_time": now}
    refused = tracing.client.put_trace_segments(
        TraceSegmentDocuments=[json.dumps({**good, "error": True}), json.dumps(bad), "no JSON"]
    )["UnprocessedTraceSegments"]
    assert [one["ErrorCode"] for one in refused] == ["InvalidTraceId", "ParseError"]
    [found] = tracing.summaries('service("shop") { error }')
    assert found["Id"] == trace_id
    assert found["ResponseTime"] == pytest.approx(2)
    assert found["Http"] == {"HttpURL": "http://parcel.example/", "HttpStatus": 404, "HttpMethod": "GET"}
    missing = tracing.client.batch_get_traces(TraceIds=["1-00000000-000000000000000000000000"])
    assert missing["UnprocessedTraceIds"] == ["1-00000000-000000000000000000000000"]


def test_retries_of_an_event_are_one_trace(deploy, tracing: Tracing, local_aws) -> None:
    function = deploy(PLAIN, TracingConfig=ACTIVE)
    function.invoke({"fails": True}, InvocationType="Event")
    local_aws.clock.advance(minutes=4)
    [found] = tracing.summaries(f'service("{function.name}")')
    [trace] = tracing.client.batch_get_traces(TraceIds=[found["Id"]])["Traces"]
    segments = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    [service] = [segment for segment in segments if segment["origin"] == "AWS::Lambda"]
    waited, *attempts = service["subsegments"]
    assert waited["name"] == "Dwell Time"
    assert [attempt["name"] for attempt in attempts] == ["Attempt #1", "Attempt #2", "Attempt #3"]
    assert all(attempt["fault"] for attempt in attempts)
    assert service["http"]["response"]["status"] == 202
    runs = [segment for segment in segments if segment["origin"] == "AWS::Lambda::Function"]
    assert [run["parent_id"] for run in runs] == [attempt["id"] for attempt in attempts]


def test_the_rule_that_every_account_has(tracing: Tracing) -> None:
    [record] = tracing.client.get_sampling_rules()["SamplingRuleRecords"]
    rule = record["SamplingRule"]
    assert (rule["RuleName"], rule["FixedRate"], rule["ReservoirSize"]) == ("Default", 0.05, 1)
