"""The same seed gives the same identifiers in the same order: a notebook that is run again shows what it showed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

_PROGRAM = r"""
import io, json, os, sys, zipfile
import boto3
from coldstart import cloud

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("app.py", "def handler(event, context):\n    raise RuntimeError('the label is unreadable')")

def identifiers():
    running = cloud.start()
    boto3.client("iam").create_role(
        RoleName="parcel-function",
        AssumeRolePolicyDocument=json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                            "Principal": {"Service": "lambda.amazonaws.com"}}]}))
    sqs, functions, logs = boto3.client("sqs"), boto3.client("lambda"), boto3.client("logs")
    queue = sqs.create_queue(QueueName="parcels")["QueueUrl"]
    found = [sqs.send_message(QueueUrl=queue, MessageBody="P-1042")["MessageId"]]
    found.append(sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"])
    dead_letters = sqs.create_queue(QueueName="dead-parcels")["QueueUrl"]
    found.append(boto3.client("apigateway").create_rest_api(name="parcels")["id"])
    http = boto3.client("apigatewayv2")
    api = http.create_api(Name="parcels", ProtocolType="HTTP")["ApiId"]
    found += [api, http.create_deployment(ApiId=api)["DeploymentId"]]
    found.append(boto3.client("events").put_events(
        Entries=[{"Source": "parcels", "DetailType": "arrived", "Detail": "{}"}])["Entries"][0]["EventId"])
    functions.create_function(
        FunctionName="label", Runtime="python3.14", Handler="app.handler", Code={"ZipFile": buffer.getvalue()},
        Role="arn:aws:iam::123456789012:role/parcel-function",
        DeadLetterConfig={"TargetArn": sqs.get_queue_attributes(
            QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]})
    found.append(functions.invoke(FunctionName="label", InvocationType="Event")["ResponseMetadata"]["RequestId"])
    running.settle()
    running.clock.advance(minutes=3)
    dead = sqs.receive_message(QueueUrl=dead_letters, MessageAttributeNames=["All"])["Messages"][0]
    found += [dead["MessageId"], dead["MessageAttributes"]["RequestID"]["StringValue"]]
    for event in logs.filter_log_events(logGroupName="/aws/lambda/label")["events"]:
        found += [event["logStreamName"], event["message"].split("\tDuration")[0].split("RequestId: ")[-1]]
    cloud.stop()
    return found

told = []
for seed in sys.argv[1:]:
    os.environ["COLDSTART_SEED"] = seed
    told.append(identifiers())
print(json.dumps(told))
"""


def test_the_same_seed_gives_the_same_identifiers_and_another_others() -> None:
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "7", "7", "8"], env=os.environ, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    first, again, other = json.loads(result.stdout)
    assert first == again
    assert len(first) == len(other)
    assert sum("Version: $LATEST" in value for value in first) == 3, "one for each attempt"
    assert not set(first[:9]) & set(other[:9])
