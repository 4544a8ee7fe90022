"""What a request to AWS asks for, as policies name it: actions, resources and condition keys.

The tables follow the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html) for the
services of the lessons. Whatever is not in them has the operation's own name as its action, and ``*`` as its resource.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from coldstart.cloud.public_addresses import addressed
from coldstart.runtime.http_wire import HttpRequest

Context = dict[str, tuple[str, ...]]

_OTHER_NAMES = {"monitoring": "cloudwatch", "email": "ses"}
"""Services that sign under another name than their actions have."""


@dataclass(frozen=True)
class Asked:
    """One action on one resource."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a request is made, and how its names are turned into ARNs."""

    region: str
    account_id: str
    key_arn: Callable[[str, str], str] = lambda region, key: key
    """The ARN of a KMS key that is named by id or alias, in a region."""
    secret_arn: Callable[[str, str], str] = lambda region, secret: secret
    """The ARN of a secret that is named."""
    customer_key: Callable[[str, str, str], str] = lambda region, service, name: ""
    """The ARN of the customer's KMS key that a parameter (``ssm``) or secret (``secretsmanager``) is encrypted with, in a region;
    empty for AWS's own key, which everybody in the account may use through the service."""
    partition_key: Callable[[str, str, str], str] = lambda region, table, index: ""
    """The name of the partition key of a table (its name or ARN), or of its index, in a region; empty when it is not there."""

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource; what is one already stays as it is."""
        return (
            resource if resource.startswith("arn:") else f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"
        )


def asked_for(request: HttpRequest, service: str, place: Place, operation: str | None = None) -> list[Asked]:
    """Return everything that a request needs permission for.

    Args:
        request: as it came over the wire.
        service: the name that it is signed for.
        place: region and account.
        operation: the operation's name, when the caller has found it already, as for Lambda.
    """
    if service == "s3":
        return list(_s3(request))
    if service == "lambda":
        return [_lambda(request, operation or "", place)]
    if service == "execute-api":
        return [_execute_api(request, place)]
    name, parameters = _operation(request)
    if not name:
        return [Asked(f"{service}:{operation or '*'}", "*")]
    find = _SERVICES.get(service)
    prefix = _OTHER_NAMES.get(service, service)
    return list(find(name, parameters, place)) if find else [Asked(f"{prefix}:{name}", _any_arn(parameters))]


def _operation(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """The name and parameters of an operation of a service that speaks JSON or the query protocol."""
    if target := request.headers.get("x-amz-target"):
        try:
            parameters = json.loads(request.body or b"{}")
        except ValueError:
            parameters = {}
        return target.rpartition(".")[2], parameters if isinstance(parameters, dict) else {}
    if in_path := _OPERATION_PATH.search(request.target):
        return in_path[1], {}  # its parameters are in CBOR
    form = parse_qs(request.body.decode("utf-8", "replace"))
    parameters = {key: values[0] for key, values in form.items()}
    return str(parameters.pop("Action", "")), parameters


_OPERATION_PATH = re.compile(r"^/service/[^/]+/operation/(\w+)")


def _any_arn(parameters: Mapping[str, Any]) -> str:
    arns = (value for value in parameters.values() if isinstance(value, str) and value.startswith("arn:"))
    return next(arns, "*")


_DYNAMODB_PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    if name in ("BatchGetItem", "BatchWriteItem"):
        for table, wanted in parameters.get("RequestItems", {}).items():
            yield Asked(f"dynamodb:{name}", _table(table, place), _leading_keys(_batched(wanted), table, "", place))
    elif name in ("TransactGetItems", "TransactWriteItems"):
        for item in parameters.get("TransactItems", []):
            for part, wanted in item.items():
                table = wanted["TableName"]
                keys = _leading_keys([wanted.get("Key") or wanted.get("Item") or {}], table, "", place)
                yield Asked(f"dynamodb:{_DYNAMODB_PARTS[part]}", _table(table, place), keys)
    elif "StreamArn" in parameters:
        yield Asked(f"dynamodb:{name}", parameters["StreamArn"])
    elif "TableName" not in parameters:
        yield Asked(f"dynamodb:{name}", "*")
    else:
        table, index = parameters["TableName"], parameters.get("IndexName", "")
        if name == "Query":
            partition_key = place.partition_key(place.region, table, index)
            value = _queried_key(parameters, partition_key)
            keys = _leading_keys([{partition_key: value}] if value else [], table, index, place)
        else:
            keys = _leading_keys([parameters.get("Key") or parameters.get("Item") or {}], table, index, place)
        yield Asked(f"dynamodb:{name}", _table(table, place) + (f"/index/{index}" if index else ""), keys)


def _batched(wanted: Any) -> list[dict[str, Any]]:
    """The items or keys of one table in a batch."""
    if isinstance(wanted, dict):
        return list(wanted.get("Keys", []))
    return [each.get("Item") or each.get("Key") or {} for request in wanted for each in request.values()]


def _leading_keys(items: list[dict[str, Any]], table: str, index: str, place: Place) -> Context:
    """The condition key for the partition keys that a request names; a Scan names none.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    name = place.partition_key(place.region, table, index)
    values = tuple(str(next(iter(item[name].values()), "")) for item in items if name in item)
    return {"dynamodb:leadingkeys": values} if values else {}


def _queried_key(parameters: Mapping[str, Any], partition_key: str) -> Any:
    """Return the value of the partition key that a Query asks for; None when it cannot be told."""
    for name, condition in (parameters.get("KeyConditions") or {}).items():
        if name == partition_key and condition.get("ComparisonOperator") == "EQ":
            return condition["AttributeValueList"][0]
    names = parameters.get("ExpressionAttributeNames") or {}
    for name, value in _EQUATION.findall(parameters.get("KeyConditionExpression") or ""):
        if names.get(name, name) == partition_key:
            return (parameters.get("ExpressionAttributeValues") or {}).get(value)
    return None


_EQUATION = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")


def _table(name: str, place: Place) -> str:
    return place.arn("dynamodb", name if name.startswith("arn:") else f"table/{name}")


def _sqs(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    queue = parameters.get("QueueUrl", "").rstrip("/").rpartition("/")[2] or parameters.get("QueueName", "")
    action = {
        "SendMessageBatch": "SendMessage",
        "DeleteMessageBatch": "DeleteMessage",
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    }.get(name, name)
    yield Asked(f"sqs:{action}", place.arn("sqs", queue) if queue else "*")


def _sns(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    named = parameters.get("TopicArn") or parameters.get("TargetArn") or parameters.get("ResourceArn")
    if subscription := parameters.get("SubscriptionArn"):
        named = subscription.rpartition(":")[0]
    if not named and "Name" in parameters:
        named = place.arn("sns", parameters["Name"])
    yield Asked(f"sns:{'Publish' if name == 'PublishBatch' else name}", named or "*")


def _kms(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    key = parameters.get("KeyId") or ""
    if not key and (blob := parameters.get("CiphertextBlob")):
        with contextlib.suppress(binascii.Error, ValueError):
            key = base64.b64decode(blob)[:36].decode("ascii", "ignore")
    context: Context = {
        f"kms:encryptioncontext:{name.lower()}": (str(value),)
        for name, value in (parameters.get("EncryptionContext") or {}).items()
    }
    yield Asked(f"kms:{name}", place.key_arn(place.region, key) if key else "*", context)


def _logs(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    group = parameters.get("logGroupName") or parameters.get("logGroupIdentifier") or ""
    if not group:
        yield Asked(f"logs:{name}", "*")
        return
    arn = place.arn("logs", group if group.startswith("arn:") else f"log-group:{group}")
    if stream := parameters.get("logStreamName"):
        yield Asked(f"logs:{name}", f"{arn}:log-stream:{stream}")
    else:
        yield Asked(f"logs:{name}", arn if arn.endswith(":*") else f"{arn}:*")


def _secrets(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    secret = parameters.get("SecretId") or parameters.get("Name") or ""
    yield Asked(f"secretsmanager:{name}", place.secret_arn(place.region, secret) if secret else "*")
    key = place.customer_key(place.region, "secretsmanager", secret) if secret else ""
    if name == "CreateSecret" and "KmsKeyId" in parameters:
        key = place.key_arn(place.region, parameters["KmsKeyId"])
    for action in _KEY_OF_SECRET.get(name, ()) if key else ():
        yield Asked(f"kms:{action}", key)


_KEY_OF_SECRET = {
    "CreateSecret": ("GenerateDataKey", "Decrypt"),
    "GetSecretValue": ("Decrypt",),
    "PutSecretValue": ("GenerateDataKey", "Decrypt"),
    "UpdateSecret": ("GenerateDataKey", "Decrypt"),
}
"""https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""


def _ssm(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    names = parameters.get("Names") or [parameters.get("Name") or parameters.get("Path")]
    for each in names:
        path = str(each or "").lstrip("/")
        yield Asked(f"ssm:{name}", place.arn("ssm", f"parameter/{path}") if path else "*")
        if name == "PutParameter" and parameters.get("Type") == "SecureString" and "KeyId" in parameters:
            yield Asked("kms:Encrypt", place.key_arn(place.region, parameters["KeyId"]))
        elif parameters.get("WithDecryption") and (key := place.customer_key(place.region, "ssm", str(each or ""))):
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
            yield Asked("kms:Decrypt", key)


def _events(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    if name == "PutEvents":
        for entry in parameters.get("Entries", []):
            bus = entry.get("EventBusName") or "default"
            context: Context = {
                "events:source": (entry.get("Source", ""),),
                "events:detail-type": (entry.get("DetailType", ""),),
            }
            yield Asked(
                "events:PutEvents", place.arn("events", bus if bus.startswith("arn:") else f"event-bus/{bus}"), context
            )
        return
    rule = parameters.get("Rule") or parameters.get("Name")
    yield Asked(f"events:{name}", place.arn("events", f"rule/{rule}") if rule else "*")


def _kinesis(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    stream = parameters.get("StreamARN") or parameters.get("StreamName") or ""
    yield Asked(
        f"kinesis:{name}", (place.arn("kinesis", stream if ":" in stream else f"stream/{stream}")) if stream else "*"
    )


def _cloudwatch(name: str, parameters: dict[str, Any], place: Place) -> Iterator[Asked]:
    namespace = parameters.get("Namespace")
    yield Asked(f"cloudwatch:{name}", "*", {"cloudwatch:namespace": (namespace,)} if namespace else {})


_SERVICES: dict[str, Callable[[str, dict[str, Any], Place], Iterator[Asked]]] = {
    "dynamodb": _dynamodb,
    "events": _events,
    "kinesis": _kinesis,
    "kms": _kms,
    "logs": _logs,
    "monitoring": _cloudwatch,
    "secretsmanager": _secrets,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
}


def _execute_api(request: HttpRequest, place: Place) -> Asked:
    """A request to an API that is signed, or one about a connection of a WebSocket API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
    """
    address = addressed(request.headers.get("host", ""), request.target)
    api, path = (address.identifier, address.target) if address else ("*", f"/*{request.target}")
    stage, _, rest = path.lstrip("/").partition("/")
    return Asked(
        "execute-api:ManageConnections", place.arn("execute-api", f"{api}/{stage}/{request.method}/{unquote(rest)}")
    )


_FUNCTION_PATH = re.compile(r"/20\d\d-\d\d-\d\d/functions/([^/?]+)")
_INVOCATIONS = ("Invoke", "InvokeAsync", "InvokeWithResponseStream")


def _lambda(request: HttpRequest, operation: str, place: Place) -> Asked:
    action = f"lambda:{'InvokeFunction' if operation in _INVOCATIONS else operation}"
    found = _FUNCTION_PATH.match(request.target)
    function = unquote(found[1]) if found else ""
    if not function and operation == "CreateFunction":
        with contextlib.suppress(ValueError):
            function = json.loads(request.body).get("FunctionName", "")
    if not function:
        return Asked(action, "*")
    name = function.rpartition(":function:")[2] if function.startswith("arn:") else function
    qualifier = parse_qs(request.target.partition("?")[2]).get("Qualifier", [""])[0]
    if qualifier and ":" not in name:
        name = f"{name}:{qualifier}"
    return Asked(action, place.arn("lambda", f"function:{name}"))


_S3_SUBRESOURCES = {
    "acl": ("GetBucketAcl", "PutBucketAcl"),
    "cors": ("GetBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("GetBucketLocation", ""),
    "notification": ("GetBucketNotification", "PutBucketNotification"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy"),
    "publicAccessBlock": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "tagging": ("GetBucketTagging", "PutBucketTagging"),
    "uploads": ("ListBucketMultipartUploads", ""),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning"),
    "versions": ("ListBucketVersions", ""),
}


def _s3(request: HttpRequest) -> Iterator[Asked]:
    path, _, query_string = request.target.partition("?")
    query = parse_qs(query_string, keep_blank_values=True)
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    if not bucket:
        yield Asked("s3:ListAllMyBuckets", "*")
    elif key:
        yield from _s3_object(request, bucket, key, query)
    else:
        yield from _s3_bucket(request, bucket, query)


def _s3_object(request: HttpRequest, bucket: str, key: str, query: Mapping[str, list[str]]) -> Iterator[Asked]:
    arn, version = f"arn:aws:s3:::{bucket}/{key}", "Version" if "versionId" in query else ""
    kind = next((name for name in ("tagging", "acl") if name in query), "").title()
    if source := request.headers.get("x-amz-copy-source"):
        copied = unquote(source.partition("?")[0]).lstrip("/")
        yield Asked("s3:GetObject", f"arn:aws:s3:::{copied}")
    if "uploadId" in query and request.method in ("GET", "DELETE"):
        action = "ListMultipartUploadParts" if request.method == "GET" else "AbortMultipartUpload"
    else:
        verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(request.method, "Put")
        action = f"{verb}Object{version if verb != 'Put' else ''}{kind}"
    yield Asked(f"s3:{action}", arn)


def _s3_bucket(request: HttpRequest, bucket: str, query: Mapping[str, list[str]]) -> Iterator[Asked]:
    arn = f"arn:aws:s3:::{bucket}"
    if "delete" in query:
        for key in re.findall(rb"<Key>(.*?)</Key>", request.body, re.S):
            yield Asked("s3:DeleteObject", f"{arn}/{key.decode()}")
        return
    for name, (read, write) in _S3_SUBRESOURCES.items():
        if name in query:
            yield Asked(f"s3:{read if request.method in ('GET', 'HEAD') else write or read}", arn)
            return
    context: Context = {
        f"s3:{name}": (query[name][0],) for name in ("prefix", "delimiter", "max-keys") if name in query
    }
    action = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
    yield Asked(f"s3:{action.get(request.method, 'PutObject')}", arn, context)
