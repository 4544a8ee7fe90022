"""A loop that feeds itself is stopped after about sixteen runs.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html; Lambda facts 6.3.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from coldstart.cloud import Cloud

pytestmark = [pytest.mark.timeout(240), pytest.mark.long]


@pytest.fixture
def deploy(deploy: Callable[..., Any]) -> Callable[..., str]:
    """Deploy a function and return its name."""
    return lambda code, **parameters: deploy(code, **parameters).name


CALLS_ITSELF = (
    "import boto3, json\n"
    "client = boto3.client('lambda')\n"
    "def handler(event, context):\n"
    "    client.invoke(FunctionName=context.function_name, InvocationType='Event', Payload=json.dumps(event))\n"
)


def _runs(function: str) -> int:
    events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return len(re.findall(r"START RequestId", "".join(event["message"] for event in events)))


def test_a_function_that_invokes_itself_is_stopped(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"loop-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = deploy(CALLS_ITSELF, Timeout=30, MemorySize=1769, DeadLetterConfig={"TargetArn": arn})
    boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"order_id": "P-1042"}')
    local_aws.settle()
    assert _runs(function) == 16
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"order_id": "P-1042"}


def test_a_synchronous_caller_is_told(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    function = deploy(
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    client = boto3.client('lambda')\n"
        "    try:\n"
        "        answer = client.invoke(FunctionName=context.function_name, Payload=b'{}')\n"
        "        return json.load(answer['Payload'])\n"
        "    except client.exceptions.RecursiveInvocationException as error:\n"
        "        return error.response['Error']['Code']\n",
        Timeout=120,
        MemorySize=1769,
    )
    answer = json.load(boto3.client("lambda").invoke(FunctionName=function, Payload=b"{}")["Payload"])
    assert answer == "RecursiveInvocationException"
    assert _runs(function) == 16


def test_a_loop_through_a_queue_is_seen(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"loop-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = deploy(
        "import boto3, os\n"
        "client = boto3.client('sqs')\n"
        "def handler(event, context):\n"
        "    client.send_message(QueueUrl=os.environ['QUEUE'], MessageBody=event['Records'][0]['body'])\n",
        Environment={"Variables": {"QUEUE": url}},
        Timeout=30,
        MemorySize=1769,
    )
    boto3.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function, BatchSize=1)
    sqs.send_message(QueueUrl=url, MessageBody="P-1042")
    local_aws.settle()
    assert _runs(function) == 16


def test_a_function_may_be_allowed_to_loop(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    function = deploy(
        "import boto3, json\n"
        "client = boto3.client('lambda')\n"
        "def handler(event, context):\n"
        "    if event['left']:\n"
        "        again = json.dumps({'left': event['left'] - 1})\n"
        "        client.invoke(FunctionName=context.function_name, InvocationType='Event', Payload=again)\n",
        Timeout=30,
        MemorySize=1769,
    )
    client = boto3.client("lambda")
    assert client.get_function_recursion_config(FunctionName=function)["RecursiveLoop"] == "Terminate"
    client.put_function_recursion_config(FunctionName=function, RecursiveLoop="Allow")
    client.invoke(FunctionName=function, InvocationType="Event", Payload=b'{"left": 19}')
    local_aws.settle()
    assert _runs(function) == 20


def test_a_loop_through_a_bucket_is_seen(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    """The function writes where it was called from, the classic with pictures and their thumbnails."""
    client, s3 = boto3.client("lambda"), boto3.client("s3")
    bucket = f"parcel-labels-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    function = deploy(
        "import boto3\n"
        "client = boto3.client('s3')\n"
        "def handler(event, context):\n"
        "    key = event['Records'][0]['s3']['object']['key']\n"
        "    client.put_object(Bucket=event['Records'][0]['s3']['bucket']['name'], Key='small/' + key)\n",
        Timeout=30,
        MemorySize=1769,
    )
    arn = client.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    client.add_permission(
        FunctionName=function,
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount="123456789012",
    )
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    s3.put_object(Bucket=bucket, Key="label.png", Body=b"PNG")
    local_aws.settle()
    assert _runs(function) == 16


def test_a_loop_through_a_topic_is_seen(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    client, sns = boto3.client("lambda"), boto3.client("sns")
    topic = sns.create_topic(Name=f"parcel-news-{uuid.uuid4().hex[:8]}")["TopicArn"]
    function = deploy(
        "import boto3\n"
        "client = boto3.client('sns')\n"
        "def handler(event, context):\n"
        "    sent = event['Records'][0]['Sns']\n"
        "    client.publish(TopicArn=sent['TopicArn'], Message=sent['Message'])\n",
        Timeout=30,
        MemorySize=1769,
    )
    arn = client.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    client.add_permission(
        FunctionName=function,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="P-1042 has left")
    local_aws.settle()
    assert _runs(function) == 16
