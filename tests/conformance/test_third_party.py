"""Libraries that people use in functions run unmodified: Powertools for AWS Lambda, the X-Ray SDK, boto3's resources, the SDK for JavaScript.

https://docs.powertools.aws.dev/lambda/python/latest/, https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python.html.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from coldstart.cloud import Cloud
from tests.conformance.conftest import Deployed, zipped

PROJECT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


def _packed(*modules: str) -> bytes:
    """A layer with installed packages."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name in modules:
            spec = importlib.util.find_spec(name)
            assert spec is not None
            folders = [Path(place) for place in spec.submodule_search_locations or ()]
            files = [file for folder in folders for file in sorted(folder.rglob("*"))] or [Path(spec.origin or "")]
            depth = len(name.split("."))
            for file in files:
                if file.is_file() and file.suffix in (".py", ".so", ".json", ".typed"):
                    inside = file.relative_to(folders[0].parents[depth - 1] if folders else file.parent)
                    entry = zipfile.ZipInfo(f"python/{inside}", (1980, 1, 1, 0, 0, 0))
                    entry.external_attr = 0o755 << 16
                    archive.writestr(entry, file.read_bytes())
    return package.getvalue()


@pytest.fixture(scope="module")
def layer(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Publish installed packages as a layer, once for each set of them."""
    made: dict[tuple[str, ...], str] = {}

    def publish(*modules: str) -> str:
        if modules not in made:
            client = boto3.client("lambda")
            made[modules] = client.publish_layer_version(
                LayerName=f"libraries-{next(_numbers)}", Content={"ZipFile": _packed(*modules)}
            )["LayerVersionArn"]
        return made[modules]

    return publish


@pytest.fixture
def powered(local_aws: Cloud, deploy: Callable[..., Deployed], layer: Callable[..., str]) -> Callable[..., Deployed]:
    """Deploy a function that has Powertools, and what else it names, in a layer."""

    def deploy_it(code: str, *modules: str, **settings: Any) -> Deployed:
        arn = layer("aws_lambda_powertools", "typing_extensions", *modules)
        return deploy(code, **{"Layers": [arn], "Timeout": 30, "MemorySize": 1769, **settings})

    return deploy_it


def test_powertools_logger(powered):
    function = powered(
        """
from aws_lambda_powertools import Logger
logger = Logger(service="orders")
@logger.inject_lambda_context(correlation_id_path="order_id")
def handler(event, context):
    logger.info("packed", extra={"kg": 2})
"""
    )
    function.invoke({"order_id": "P-1042"})
    [line] = [json.loads(line) for line in function.lines() if line.startswith("{")]
    assert (line["level"], line["message"], line["service"], line["kg"]) == ("INFO", "packed", "orders", 2)
    assert (line["correlation_id"], line["function_name"], line["cold_start"]) == ("P-1042", function.name, True)
    assert line["function_memory_size"] == "1769"


def test_powertools_metrics_are_metrics(powered, local_aws):
    namespace = f"Parcel{next(_numbers)}"
    function = powered(
        f"""
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
metrics = Metrics(namespace="{namespace}", service="orders")
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    metrics.add_metric(name="OrdersPacked", unit=MetricUnit.Count, value=3)
"""
    )
    function.invoke()
    function.invoke()
    found = boto3.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"OrdersPacked", "ColdStart"}
    now = local_aws.clock.now()
    data = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="OrdersPacked",
        Dimensions=[{"Name": "service", "Value": "orders"}],
        StartTime=now - 600,
        EndTime=now + 600,
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in data) == 6


def test_powertools_tracer_and_the_xray_sdk(powered, local_aws):
    function = powered(
        """
from aws_lambda_powertools import Tracer
import boto3
tracer = Tracer(service="orders")
@tracer.capture_method
def price(order):
    tracer.put_annotation(key="order_id", value=order["order_id"])
    boto3.client("sqs").list_queues()
    return 4
@tracer.capture_lambda_handler
def handler(event, context):
    return price(event)
""",
        "aws_xray_sdk",
        "wrapt",
        TracingConfig={"Mode": "Active"},
    )
    assert function.invoke({"order_id": "P-1042"})["Payload"] == 4
    documents = _trace(local_aws, 'annotation.order_id = "P-1042"')
    for name in ("## handler", "## app.price", "sqs", "ListQueues"):
        assert f'"{name}"' in documents


@pytest.mark.parametrize("door", ["url", "http", "rest"])
def test_powertools_event_handler_behind_every_door(powered, local_aws, door):
    resolver = {
        "url": "LambdaFunctionUrlResolver",
        "http": "APIGatewayHttpResolver",
        "rest": "APIGatewayRestResolver",
    }[door]
    function = powered(
        f"""
from aws_lambda_powertools.event_handler import {resolver} as Resolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
app = Resolver()
@app.get("/orders/<order_id>")
def order(order_id: str):
    if order_id == "none":
        raise NotFoundError("no such order")
    return {{"order_id": order_id, "town": app.current_event.get_query_string_value("town")}}
@app.post("/orders")
def take():
    return app.current_event.json_body, 201
def handler(event, context):
    return app.resolve(event, context)
"""
    )
    address = _address(function, door, local_aws.url)
    found = requests.get(f"{address}/orders/P-1042", params={"town": "Porto"}, timeout=30)
    assert (found.status_code, found.json()) == (200, {"order_id": "P-1042", "town": "Porto"})
    assert requests.get(f"{address}/orders/none", timeout=30).status_code == 404
    taken = requests.post(f"{address}/orders", json={"items": 3}, timeout=30)
    assert (taken.status_code, taken.json()) == (201, {"items": 3})


def _address(function: Deployed, door: str, aws_url: str) -> str:
    client = function.client
    arn = client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    if door == "url":
        url = client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
        for statement, action, extra in (
            ("url", "lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
            ("invoke", "lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
        ):
            client.add_permission(
                FunctionName=function.name, StatementId=statement, Action=action, Principal="*", **extra
            )
        return str(url).rstrip("/")
    client.add_permission(
        FunctionName=function.name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    if door == "http":
        return str(
            boto3.client("apigatewayv2").create_api(Name=function.name, ProtocolType="HTTP", Target=arn)["ApiEndpoint"]
        )
    rest = boto3.client("apigateway")
    api = rest.create_rest_api(name=function.name)["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    proxy = rest.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    where = {"restApiId": api, "resourceId": proxy, "httpMethod": "ANY"}
    rest.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    rest.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    rest.create_deployment(restApiId=api, stageName="prod")
    return f"http://{api}.execute-api.us-east-1.localhost:{aws_url.rpartition(':')[2]}/prod"


BATCH = """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
processor = BatchProcessor(event_type=EventType.{kind})
def one(record):
    body = {body}
    if "bad" in str(body):
        raise ValueError("bad")
    print("worked on", body)
def handler(event, context):
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
"""


def test_powertools_batch_gives_back_messages(powered, local_aws):
    function = powered(BATCH.format(kind="SQS", body="record.body"))
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName=f"dead-{next(_numbers)}")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": _queue_arn(dead), "maxReceiveCount": 1})
    url = sqs.create_queue(
        QueueName=f"batch-{next(_numbers)}", Attributes={"VisibilityTimeout": "60", "RedrivePolicy": redrive}
    )["QueueUrl"]
    function.client.create_event_source_mapping(
        EventSourceArn=_queue_arn(url),
        FunctionName=function.name,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    bodies = ["one", "bad", "three"]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": body, "MessageBody": body} for body in bodies])
    local_aws.clock.advance(minutes=3)
    assert [line.strip() for line in function.lines() if "worked" in line] == ["worked on one", "worked on three"]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["bad"]


def _queue_arn(url: str) -> str:
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def test_powertools_batch_reads_both_kinds_of_streams(powered, local_aws):
    kinesis = boto3.client("kinesis")
    name = f"batch-{next(_numbers)}"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    vans = powered(BATCH.format(kind="KinesisDataStreams", body="record.kinesis.data_as_text()"))
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    table = boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    stock = powered(BATCH.format(kind="DynamoDBStreams", body='record.dynamodb.new_image["id"]'))
    for function, source in ((vans, arn), (stock, table["LatestStreamArn"])):
        function.client.create_event_source_mapping(
            EventSourceArn=source,
            FunctionName=function.name,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
    kinesis.put_record(StreamName=name, PartitionKey="van", Data=b"Porto")
    boto3.client("dynamodb").put_item(TableName=name, Item={"id": {"S": "mug"}})
    local_aws.settle()
    assert [line.strip() for line in vans.lines() if "worked" in line] == ["worked on Porto"]
    assert [line.strip() for line in stock.lines() if "worked" in line] == ["worked on mug"]


def test_powertools_idempotency(powered):
    table = f"idempotency-{next(_numbers)}"
    boto3.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    function = powered(
        f"""
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
import uuid
config = IdempotencyConfig(event_key_jmespath="order_id")
@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name="{table}"), config=config)
def handler(event, context):
    print("charged")
    return {{"charge": str(uuid.uuid4())}}
"""
    )
    first, again, other = (function.invoke({"order_id": order})["Payload"] for order in ("P-1", "P-1", "P-2"))
    assert first == again != other
    assert sum("charged" in line for line in function.lines()) == 2


def test_powertools_parameters(powered):
    name = f"/parcel/{next(_numbers)}"
    boto3.client("ssm").put_parameter(Name=name, Value="4", Type="String")
    secret = boto3.client("secretsmanager").create_secret(Name=name, SecretString='{"key": "k-1"}')["Name"]
    function = powered(
        f"""
from aws_lambda_powertools.utilities import parameters
def handler(event, context):
    return [parameters.get_parameter("{name}", max_age=600), parameters.get_secret("{secret}", transform="json")["key"]]
"""
    )
    assert function.invoke()["Payload"] == ["4", "k-1"]
    boto3.client("ssm").put_parameter(Name=name, Value="5", Type="String", Overwrite=True)
    assert function.invoke()["Payload"] == ["4", "k-1"], "kept in the environment"


def test_powertools_parser(powered):
    function = powered(
        """
from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError, event_parser
class Order(BaseModel):
    order_id: str
    items: int
@event_parser(model=Order)
def parsed(event: Order, context):
    return event.items + 1
def handler(event, context):
    try:
        return parsed(event, context)
    except ValidationError as error:
        return error.error_count()
""",
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "typing_inspection",
    )
    assert function.invoke({"order_id": "P-1", "items": "3"})["Payload"] == 4
    assert function.invoke({"items": "many"})["Payload"] == 2


def test_the_xray_sdk_alone(powered, local_aws):
    function = powered(
        """
from aws_xray_sdk.core import patch_all, xray_recorder
patch_all()
import boto3
def handler(event, context):
    with xray_recorder.in_subsegment("pack") as pack:
        pack.put_annotation("kind", event["kind"])
        pack.put_metadata("kg", 2)
        boto3.client("sns").list_topics()
""",
        "aws_xray_sdk",
        "wrapt",
        TracingConfig={"Mode": "Active"},
    )
    kind = f"kind-{next(_numbers)}"
    function.invoke({"kind": kind})
    trace = _trace(local_aws, f'annotation.kind = "{kind}"')
    assert '"pack"' in trace
    assert "ListTopics" in trace


def _trace(local_aws: Cloud, expression: str) -> str:
    """The documents of the one trace that an expression finds."""
    xray, now = boto3.client("xray"), local_aws.clock.now()
    found = xray.get_trace_summaries(StartTime=now - 3600, EndTime=now + 3600, FilterExpression=expression)
    [summary] = found["TraceSummaries"]
    traces = xray.batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
    return json.dumps([json.loads(segment["Document"]) for segment in traces[0]["Segments"]])


def test_boto3_resources_and_paginators(deploy):
    name = f"resources-{next(_numbers)}"
    function = deploy(
        f"""
import boto3
from boto3.dynamodb.conditions import Key
def handler(event, context):
    table = boto3.resource("dynamodb").create_table(
        TableName="{name}", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{{"AttributeName": "shop", "KeyType": "HASH"}}, {{"AttributeName": "n", "KeyType": "RANGE"}}],
        AttributeDefinitions=[{{"AttributeName": "shop", "AttributeType": "S"}}, {{"AttributeName": "n", "AttributeType": "N"}}],
    )
    table.wait_until_exists()
    with table.batch_writer() as batch:
        for n in range(60):
            batch.put_item(Item={{"shop": "parcel", "n": n}})
    found = table.query(KeyConditionExpression=Key("shop").eq("parcel") & Key("n").gte(50))["Items"]
    bucket = boto3.resource("s3").create_bucket(Bucket="{name}")
    for n in range(7):
        bucket.put_object(Key=f"labels/{{n}}", Body=b"x")
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(
        Bucket="{name}", PaginationConfig={{"PageSize": 3}})
    queue = boto3.resource("sqs").create_queue(QueueName="{name}")
    queue.send_message(MessageBody="hello")
    return [len(found), [len(page["Contents"]) for page in pages], [m.body for m in queue.receive_messages()]]
""",
        Timeout=30,
        MemorySize=1769,
    )
    assert function.invoke()["Payload"] == [10, [3, 3, 1], ["hello"]]


@pytest.fixture(scope="module")
def javascript_sdk() -> dict[str, str]:
    """The AWS SDK for JavaScript as one file for a package, bundled from what npm has installed."""
    if not (PROJECT / "node_modules" / "@aws-sdk" / "client-dynamodb").is_dir() or shutil.which("npx") is None:
        reason = "the AWS SDK for JavaScript comes by npm: run `npm ci`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    entry = 'export * from "@aws-sdk/client-dynamodb"; export { DynamoDBDocumentClient, PutCommand, GetCommand } from "@aws-sdk/lib-dynamodb";'
    bundled = subprocess.run(
        ["npx", "--no-install", "esbuild", "--bundle", "--platform=node", "--format=cjs", "--minify"],
        input=entry,
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    return {"sdk.cjs": bundled.stdout}


@pytest.mark.node
def test_the_sdk_for_javascript(local_aws, deploy, javascript_sdk):
    """https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/."""
    name = f"javascript-{next(_numbers)}"
    boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    code = f"""
import sdk from "./sdk.cjs";
const client = sdk.DynamoDBDocumentClient.from(new sdk.DynamoDBClient({{}}));
export const handler = async (event) => {{
  await client.send(new sdk.PutCommand({{ TableName: "{name}", Item: {{ id: "P-1", items: 3 }} }}));
  const found = await client.send(new sdk.GetCommand({{ TableName: "{name}", Key: {{ id: "P-1" }} }}));
  return found.Item;
}};
"""
    function = deploy(
        "",
        Runtime="nodejs24.x",
        Timeout=30,
        MemorySize=1769,
        Code={"ZipFile": zipped({"app.mjs": code, **javascript_sdk})},
    )
    assert function.invoke()["Payload"] == {"id": "P-1", "items": 3}


def test_opentelemetry(local_aws, deploy, layer):
    """Spans of the SDK reach X-Ray as AWS's distribution sends them: OTLP in base64, over UDP to the daemon.

    https://aws-otel.github.io/docs/getting-started/lambda.
    """
    function = deploy(
        """
import base64, os, socket
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

class ToTheDaemon(SpanExporter):
    def export(self, spans):
        host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
        body = base64.b64encode(encode_spans(spans).SerializeToString())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'{"format":"json","version":1}\\nT1S' + body, (host, int(port)))
        return SpanExportResult.SUCCESS

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ToTheDaemon()))
tracer = provider.get_tracer("parcel")

def caller():
    parts = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    trace_id = int(parts["Root"].replace("1-", "", 1).replace("-", ""), 16)
    context = SpanContext(trace_id, int(parts["Parent"], 16), is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(context))

def handler(event, context):
    with tracer.start_as_current_span("handler", context=caller(), kind=SpanKind.SERVER):
        with tracer.start_as_current_span("price") as span:
            span.set_attribute("kind", event["kind"])
            span.set_attribute("aws.xray.annotations", ["kind"])
""",
        Layers=[layer("opentelemetry", "google.protobuf", "typing_extensions")],
        TracingConfig={"Mode": "Active"},
        Timeout=30,
        MemorySize=1769,
    )
    kind = f"otel-{next(_numbers)}"
    assert "FunctionError" not in function.invoke({"kind": kind}), function.lines()
    documents = _trace(local_aws, f'annotation.kind = "{kind}"')
    assert '"price"' in documents
