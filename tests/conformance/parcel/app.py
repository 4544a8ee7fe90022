"""Parcel's orders: an API takes them and shows them, a worker packs them."""

import json
import os

import boto3

orders = boto3.resource("dynamodb").Table(os.environ["TABLE"])
queue = boto3.client("sqs")


def take(event, context):
    """POST /orders: put the order in line."""
    order = json.loads(event["body"])
    queue.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(order))
    return {"statusCode": 202, "body": json.dumps({"order_id": order["order_id"], "state": "waiting"})}


def show(event, context):
    """GET /orders/{order_id}: say what became of it."""
    found = orders.get_item(Key={"order_id": event["pathParameters"]["order_id"]}).get("Item")
    return {"statusCode": 200 if found else 404, "body": json.dumps(found or {"message": "no such order"})}


def pack(event, context):
    """Work off the queue."""
    failures = []
    for record in event["Records"]:
        try:
            order = json.loads(record["body"])
            orders.put_item(Item={"order_id": order["order_id"], "state": "packed"})
        except Exception as error:
            print(f"not packed: {error!r}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
