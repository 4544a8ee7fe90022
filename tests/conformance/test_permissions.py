"""What a role's policies allow a function to do, when they are enforced.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html; actions and resources as in the Service
Authorization Reference.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from coldstart import explain_access
from coldstart.cloud import Cloud
from coldstart.cloud.called_actions import Asked, Place, asked_for
from coldstart.runtime.http_wire import HttpRequest

ACCOUNT = "123456789012"
CALLS = """
import boto3, base64
from botocore.exceptions import ClientError

def handler(event, context):
    answers = []
    for service, operation, parameters in event:
        if "CiphertextBlob" in parameters:
            parameters["CiphertextBlob"] = base64.b64decode(parameters["CiphertextBlob"])
        try:
            getattr(boto3.client(service), operation)(**parameters)
            answers.append("ok")
        except ClientError as error:
            answers.append([error.response["Error"]["Code"], error.response["Error"]["Message"]])
    return answers
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_numbers = itertools.count(1)


class Acting:
    """A function that makes calls, and its role."""

    def __init__(self, role: str, function: Any) -> None:
        self.role = role
        self._function = function
        self._iam = boto3.client("iam")

    def allow(self, *actions: str, resource: str | list[str] = "*", **statement: Any) -> None:
        """Give the role one more inline policy."""
        document = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **statement}
        self._iam.put_role_policy(
            RoleName=self.role,
            PolicyName=f"policy-{next(_numbers)}",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": document}),
        )

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """Return "ok", or the code and message of the error."""
        return self.calls((service, operation, parameters))[0]

    def calls(self, *calls: Any) -> list[Any]:
        """The same for several calls in one invocation."""
        return list(self._function.invoke(list(calls))["Payload"])


@pytest.fixture
def acting(local_aws: Cloud, deploy: Callable[..., Any]) -> Iterator[Callable[[], Acting]]:
    """A function whose role may do nothing, while permissions are enforced."""

    def act() -> Acting:
        role = f"parcel-acting-{next(_numbers)}"
        arn = boto3.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        return Acting(role, deploy(CALLS, Role=arn, Timeout=30, MemorySize=1769))

    local_aws.permissions.enforce()
    yield act
    local_aws.permissions.is_enforced = False


@pytest.fixture
def table(local_aws: Cloud) -> str:
    name = f"orders-{next(_numbers)}"
    boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_nothing_is_refused_until_it_is_enforced(local_aws, deploy, table):
    function = deploy(CALLS, Timeout=30, MemorySize=1769)
    assert function.invoke([["dynamodb", "scan", {"TableName": table}]])["Payload"] == ["ok"]


def test_a_least_privilege_role_may_do_what_it_needs_and_no_more(acting, table):
    """local-lambda A3 row 23: a policy with the table's ARN allows that table, and no other."""
    who = acting()
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}"
    who.allow("dynamodb:PutItem", "dynamodb:GetItem", resource=arn)
    item = {"TableName": table, "Item": {"id": {"S": "P-1"}}}
    put, scan, other = who.calls(
        ["dynamodb", "put_item", item],
        ["dynamodb", "scan", {"TableName": table}],
        ["dynamodb", "put_item", {**item, "TableName": "elsewhere"}],
    )
    assert put == "ok"
    name = who._function.name
    assert scan == [
        "AccessDeniedException",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{who.role}/{name} is not authorized to perform: dynamodb:Scan on resource: "
        f"{arn} because no identity-based policy allows the dynamodb:Scan action",
    ]
    assert "table/elsewhere because no identity-based policy allows" in other[1]


def test_a_deny_wins_and_conditions_count(acting, table):
    who = acting()
    who.allow("dynamodb:*")
    who.allow("dynamodb:DeleteItem", Effect="Deny")
    who.allow("dynamodb:Scan", Effect="Deny", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})
    key = {"TableName": table, "Key": {"id": {"S": "P-1"}}}
    deleted, scanned, got = who.calls(
        ["dynamodb", "delete_item", key], ["dynamodb", "scan", {"TableName": table}], ["dynamodb", "get_item", key]
    )
    assert deleted[0] == "AccessDeniedException"
    assert deleted[1].endswith("with an explicit deny in an identity-based policy")
    assert scanned[1].endswith("with an explicit deny in an identity-based policy")
    assert got == "ok"


def test_managed_policies_and_boundaries(acting, table):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html."""
    who = acting()
    iam = boto3.client("iam")
    iam.attach_role_policy(RoleName=who.role, PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    scan = ("dynamodb", "scan", {"TableName": table})
    assert who.calls(scan) == ["ok"]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    boundary = iam.create_policy(PolicyName=f"only-s3-{next(_numbers)}", PolicyDocument=json.dumps(document))["Policy"][
        "Arn"
    ]
    iam.put_role_permissions_boundary(RoleName=who.role, PermissionsBoundary=boundary)
    assert who.calls(scan)[0][1].endswith("because no permissions boundary allows the dynamodb:Scan action")


def test_objects_and_buckets(acting):
    who = acting()
    bucket = f"parcel-permitted-{next(_numbers)}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="labels/one.txt", Body=b"1")
    who.allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/labels/*")
    who.allow("s3:ListBucket", resource=f"arn:aws:s3:::{bucket}", Condition={"StringLike": {"s3:prefix": "labels/*"}})
    answers = who.calls(
        ["s3", "get_object", {"Bucket": bucket, "Key": "labels/one.txt"}],
        ["s3", "get_object", {"Bucket": bucket, "Key": "other.txt"}],
        ["s3", "put_object", {"Bucket": bucket, "Key": "labels/two.txt"}],
        ["s3", "list_objects_v2", {"Bucket": bucket, "Prefix": "labels/"}],
        ["s3", "list_objects_v2", {"Bucket": bucket}],
        ["s3", "copy_object", {"Bucket": bucket, "Key": "b", "CopySource": f"{bucket}/other.txt"}],
    )
    assert [answer if answer == "ok" else answer[0] for answer in answers] == [
        "ok",
        "AccessDenied",
        "AccessDenied",
        "ok",
        "AccessDenied",
        "AccessDenied",
    ]
    assert (
        f'"arn:aws:s3:::{bucket}/labels/two.txt" because no identity-based policy allows the s3:PutObject'
        in answers[2][1]
    )
    assert "s3:GetObject" in answers[5][1], "a copy reads first"
    policy = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{who.role}"}, "Action": "s3:*"}
    statement = {**policy, "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert who.call("s3", "put_object", Bucket=bucket, Key="labels/two.txt") == "ok", (
        "the bucket's own policy is enough"
    )


def test_queues_topics_parameters_secrets_logs_and_functions(acting, deploy):
    who = acting()
    queue = boto3.client("sqs").create_queue(QueueName=f"permitted-{next(_numbers)}")["QueueUrl"]
    topic = boto3.client("sns").create_topic(Name=f"permitted-{next(_numbers)}")["TopicArn"]
    boto3.client("ssm").put_parameter(Name="/parcel/permitted", Value="1", Type="String", Overwrite=True)
    secret = boto3.client("secretsmanager").create_secret(Name=f"permitted-{next(_numbers)}", SecretString="1")
    other = deploy("def handler(event, context):\n    return 1\n")
    calls = {
        "sqs:SendMessage": ["sqs", "send_message", {"QueueUrl": queue, "MessageBody": "1"}],
        "sns:Publish": ["sns", "publish", {"TopicArn": topic, "Message": "1"}],
        "ssm:GetParameter": ["ssm", "get_parameter", {"Name": "/parcel/permitted"}],
        "secretsmanager:GetSecretValue": ["secretsmanager", "get_secret_value", {"SecretId": secret["Name"]}],
        "logs:CreateLogGroup": ["logs", "create_log_group", {"logGroupName": f"/parcel/{next(_numbers)}"}],
        "lambda:InvokeFunction": ["lambda", "invoke", {"FunctionName": other.name}],
        "events:PutEvents": ["events", "put_events", {"Entries": [{"Source": "p", "DetailType": "d", "Detail": "{}"}]}],
    }
    refused = who.calls(*calls.values())
    codes = ["AccessDenied", "AuthorizationError", *["AccessDeniedException"] * 5]
    assert [answer[0] for answer in refused] == codes
    for action, (_, message) in zip(calls, refused, strict=True):
        assert (
            f"is not authorized to perform: {action} on resource: arn:aws:{action.split(':')[0]}:us-east-1:{ACCOUNT}:"
            in message
        )
    arns = [message.partition("on resource: ")[2].split(" ")[0] for _, message in refused]
    who.allow(*calls, resource=arns)
    assert who.calls(*calls.values()) == ["ok"] * len(calls)


def test_keys(acting):
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html, .../key-state.html."""
    who = acting()
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/parcel-{next(_numbers)}", TargetKeyId=key["KeyId"])
    context = {"shop": "parcel"}
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
    decrypt = ["kms", "decrypt", {"CiphertextBlob": base64.b64encode(blob).decode(), "EncryptionContext": context}]
    other_context = ["kms", "decrypt", {**decrypt[2], "EncryptionContext": {"shop": "other"}}]
    assert who.calls(decrypt)[0][0] == "AccessDeniedException"
    who.allow("kms:Decrypt", resource=key["Arn"], Condition={"StringEquals": {"kms:EncryptionContext:shop": "parcel"}})
    allowed, refused = who.calls(decrypt, other_context)
    assert allowed == "ok"
    assert "kms:Decrypt" in refused[1]
    assert key["Arn"] in refused[1]
    kms.disable_key(KeyId=key["KeyId"])
    assert who.calls(decrypt)[0] == ["DisabledException", f"{key['Arn']} is disabled."]
    with pytest.raises(ClientError, match="DisabledException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.enable_key(KeyId=key["KeyId"])
    only_me = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/somebody"},
        "Action": "kms:*",
        "Resource": "*",
    }
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps({"Statement": [only_me]}))
    assert who.calls(decrypt)[0][0] == "AccessDeniedException", (
        "a key that does not let its account in, listens to no role's policy"
    )
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)


def test_parameters_and_secrets_need_the_key_that_they_are_encrypted_with(acting):
    """secure-string-parameter-kms-encryption.html (Systems Manager) and security-encryption.html (Secrets Manager)."""
    who, number = acting(), next(_numbers)
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    ssm, secrets = boto3.client("ssm"), boto3.client("secretsmanager")
    own, awss = f"/parcel/{number}/own", f"/parcel/{number}/awss"
    ssm.put_parameter(Name=own, Value="one", Type="SecureString", KeyId=key)
    ssm.put_parameter(Name=awss, Value="two", Type="SecureString")
    secrets.create_secret(Name=f"parcel-{number}", SecretString="three", KmsKeyId=key)
    who.allow("ssm:*", "secretsmanager:*")
    calls = [
        ["ssm", "get_parameter", {"Name": own, "WithDecryption": True}],
        ["ssm", "get_parameters", {"Names": [awss, own], "WithDecryption": True}],
        ["ssm", "put_parameter", {"Name": f"{own}-2", "Value": "x", "Type": "SecureString", "KeyId": key}],
        ["secretsmanager", "get_secret_value", {"SecretId": f"parcel-{number}"}],
        ["secretsmanager", "put_secret_value", {"SecretId": f"parcel-{number}", "SecretString": "x"}],
    ]
    open_to_all = [
        ["ssm", "get_parameter", {"Name": own}],
        ["ssm", "get_parameter", {"Name": awss, "WithDecryption": True}],
        ["secretsmanager", "describe_secret", {"SecretId": f"parcel-{number}"}],
    ]
    refused = who.calls(*calls)
    assert [answer[0] for answer in refused] == ["AccessDeniedException"] * 5
    actions = [answer[1].partition("perform: ")[2].partition(" ")[0] for answer in refused]
    assert actions == ["kms:Decrypt", "kms:Decrypt", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"]
    assert all(f"on resource: {key} because" in answer[1] for answer in refused)
    assert who.calls(*open_to_all) == ["ok"] * 3
    who.allow("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", resource=key)
    assert who.calls(*calls) == ["ok"] * 5


def test_a_grant_lets_a_role_use_a_key(acting):
    """https://docs.aws.amazon.com/kms/latest/developerguide/grants.html: no policy has to name the role; constraints count."""
    who, kms = acting(), boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    role = f"arn:aws:iam::{ACCOUNT}:role/{who.role}"

    def decrypt(context):
        blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
        return ["kms", "decrypt", {"CiphertextBlob": base64.b64encode(blob).decode(), "EncryptionContext": context}]

    ours, wider, other = {"Shop": "parcel"}, {"Shop": "parcel", "Till": "3"}, {"Shop": "other"}
    subset = kms.create_grant(
        KeyId=key,
        GranteePrincipal=role,
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": ours},
    )["GrantId"]
    assert [answer == "ok" for answer in who.calls(*map(decrypt, (ours, wider, other)))] == [True, True, False]
    assert who.call("kms", "generate_data_key", KeyId=key, KeySpec="AES_256")[0] == "AccessDeniedException"
    kms.revoke_grant(KeyId=key, GrantId=subset)
    kms.create_grant(
        KeyId=key, GranteePrincipal=role, Operations=["Decrypt"], Constraints={"EncryptionContextEquals": ours}
    )
    assert [answer == "ok" for answer in who.calls(*map(decrypt, (ours, wider)))] == [True, False]


def test_variables_that_are_encrypted_need_the_key_when_an_environment_starts(acting, deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html; codes and status as of API_Invoke."""
    who, kms = acting(), boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]
    function = deploy(
        "import os\ndef handler(event, context):\n    return os.environ['SHOP']\n",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{who.role}",
        KMSKeyArn=key["Arn"],
        Environment={"Variables": {"SHOP": "parcel"}},
    )

    def refusal():
        with pytest.raises(ClientError) as refused:
            function.invoke()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
        return refused.value.response["Error"]

    denied = refusal()
    assert denied["Code"] == "KMSAccessDeniedException"
    assert denied["Message"].startswith(
        "Lambda was unable to decrypt the environment variables because KMS access was denied."
    )
    assert f"is not authorized to perform: kms:Decrypt on resource: {key['Arn']}" in denied["Message"]
    who.allow("kms:Decrypt", resource=key["Arn"])
    assert function.invoke()["Payload"] == "parcel"
    kms.disable_key(KeyId=key["KeyId"])
    assert function.invoke()["Payload"] == "parcel", "a warm environment has its variables"
    function.client.update_function_configuration(FunctionName=function.name, Timeout=4)
    assert refusal()["Code"] == "KMSDisabledException"
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    assert refusal()["Code"] == "KMSInvalidStateException"
    elsewhere = key["Arn"][:-1] + ("0" if key["Arn"][-1] != "0" else "1")
    function.client.update_function_configuration(FunctionName=function.name, KMSKeyArn=elsewhere)
    assert refusal()["Code"] == "KMSNotFoundException"


def test_a_mapping_needs_a_role_that_may_read(acting):
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions."""
    who = acting()
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"to-read-{next(_numbers)}", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = {"EventSourceArn": arn, "FunctionName": who._function.name}
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage on SQS"):
        boto3.client("lambda").create_event_source_mapping(**mapping)
    who.allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", resource=arn)
    made = boto3.client("lambda").create_event_source_mapping(**mapping)
    boto3.client("lambda").delete_event_source_mapping(UUID=made["UUID"])


def test_the_explanation_names_the_statement_that_decided(acting, table):
    who = acting()
    who.allow("dynamodb:Get*")
    who.allow("dynamodb:PutItem", resource="arn:aws:dynamodb:*:*:table/labels")
    who.call("dynamodb", "put_item", TableName=table, Item={"id": {"S": "P-1"}})
    shown = explain_access()
    text = repr(shown)
    assert text.startswith("Denied:\ndynamodb:PutItem on arn:aws:dynamodb")
    assert "does not apply: Action does not fit" in text
    assert "does not apply: Resource does not fit" in text
    assert text.endswith("because no identity-based policy allows the dynamodb:PutItem action")
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert '<th scope="col">Does it apply?</th>' in bundle["text/html"]
    asked = explain_access(who.role, "dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/labels")
    assert asked.decision.is_allowed
    assert "applies, and decides" in repr(asked)
    assert repr(asked).splitlines()[-1].startswith("Allowed by inline policy policy-")
    with pytest.raises(LookupError, match="There is no role 'nobody'"):
        explain_access("nobody", "s3:GetObject", "*")


def test_before_anything_was_refused_there_is_nothing_to_explain(local_aws):
    local_aws.permissions.decisions.clear()
    assert "No call has been refused yet" in repr(explain_access())


def test_the_handler_is_its_role(acting):
    who = acting()
    assert who.call("sts", "get_caller_identity") == "ok", "everybody may ask who they are"


PLACE = Place("us-east-1", ACCOUNT)


@pytest.mark.parametrize(
    ("service", "method", "target", "headers", "body", "expected"),
    [
        ("s3", "DELETE", "/b/k?versionId=1", {}, b"", [("s3:DeleteObjectVersion", "arn:aws:s3:::b/k")]),
        ("s3", "GET", "/b/k?tagging", {}, b"", [("s3:GetObjectTagging", "arn:aws:s3:::b/k")]),
        ("s3", "POST", "/b/k?uploads", {}, b"", [("s3:PutObject", "arn:aws:s3:::b/k")]),
        (
            "s3",
            "POST",
            "/b?delete",
            {},
            b"<D><Key>x</Key><Key>y</Key></D>",
            [("s3:DeleteObject", "arn:aws:s3:::b/x"), ("s3:DeleteObject", "arn:aws:s3:::b/y")],
        ),
        ("s3", "PUT", "/b?notification", {}, b"", [("s3:PutBucketNotification", "arn:aws:s3:::b")]),
        ("s3", "GET", "/", {}, b"", [("s3:ListAllMyBuckets", "*")]),
        (
            "dynamodb",
            "POST",
            "/",
            {"x-amz-target": "DynamoDB_20120810.TransactWriteItems"},
            b'{"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]}',
            [
                ("dynamodb:PutItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/a"),
                ("dynamodb:ConditionCheckItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/b"),
            ],
        ),
        (
            "dynamodb",
            "POST",
            "/",
            {"x-amz-target": "DynamoDB_20120810.Query"},
            b'{"TableName": "a", "IndexName": "by-town"}',
            [("dynamodb:Query", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/a/index/by-town")],
        ),
        (
            "monitoring",
            "POST",
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            {},
            b"\xa1",
            [("cloudwatch:PutMetricData", "*")],
        ),
    ],
)
def test_what_a_request_asks_for(service, method, target, headers, body, expected):
    found = asked_for(HttpRequest(method, target, headers, body), service, PLACE)
    assert [(asked.action, asked.resource) for asked in found] == expected
    assert all(isinstance(asked, Asked) for asked in found)


def test_leading_keys_are_the_partition_keys_of_every_operation(acting, table):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html: each customer's own items."""
    who = acting()
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["C-1"]}, "Null": {"dynamodb:LeadingKeys": "false"}}
    who.allow("dynamodb:*", Condition=own)

    def item(customer):
        return {"total": {"N": "1"}, "id": {"S": customer}}  # the partition key does not come first

    def tried(customer):
        of_customer = {":c": {"S": customer}}
        batch = [{"PutRequest": {"Item": item("C-1")}}, {"PutRequest": {"Item": item(customer)}}]
        query = {"TableName": table, "ExpressionAttributeValues": of_customer}
        return who.calls(
            ["dynamodb", "put_item", {"TableName": table, "Item": item(customer)}],
            ["dynamodb", "query", {**query, "KeyConditionExpression": "id = :c"}],
            [
                "dynamodb",
                "query",
                {**query, "KeyConditionExpression": "(#k=:c)", "ExpressionAttributeNames": {"#k": "id"}},
            ],
            ["dynamodb", "batch_write_item", {"RequestItems": {table: batch if customer != "C-1" else batch[:1]}}],
            ["dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [{"id": {"S": customer}}]}}}],
            [
                "dynamodb",
                "transact_write_items",
                {"TransactItems": [{"Put": {"TableName": table, "Item": item(customer)}}]},
            ],
            ["dynamodb", "delete_item", {"TableName": table, "Key": {"id": {"S": customer}}}],
        )

    assert tried("C-1") == ["ok"] * 7
    assert [code for code, _ in tried("C-2")] == ["AccessDeniedException"] * 7
    assert who.call("dynamodb", "scan", TableName=table)[0] == "AccessDeniedException"


def test_the_policy_simulator_says_what_policies_would_allow(local_aws):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html, API_SimulatePrincipalPolicy.html."""
    iam = boto3.client("iam")
    orders, labels = (f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}" for name in ("orders", "labels"))
    statements = [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": orders},
        {"Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "dynamodb:GetItem",
            "Resource": labels,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "post"}},
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})

    def decisions(answer):
        found = answer["EvaluationResults"]
        return {(each["EvalActionName"], each["EvalResourceName"]): each["EvalDecision"] for each in found}

    asked = {"ActionNames": ["dynamodb:GetItem", "dynamodb:DeleteItem"], "ResourceArns": [orders, labels]}
    custom = iam.simulate_custom_policy(PolicyInputList=[policy], **asked)
    assert decisions(custom) == {
        ("dynamodb:GetItem", orders): "allowed",
        ("dynamodb:GetItem", labels): "implicitDeny",
        ("dynamodb:DeleteItem", orders): "explicitDeny",
        ("dynamodb:DeleteItem", labels): "explicitDeny",
    }
    first = custom["EvaluationResults"][0]
    assert first["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"
    assert first["MissingContextValues"] == ["aws:PrincipalTag/team"]
    tag = {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["post"], "ContextKeyType": "string"}
    with_tag = iam.simulate_custom_policy(PolicyInputList=[policy], ContextEntries=[tag], **asked)
    assert decisions(with_tag)["dynamodb:GetItem", labels] == "allowed"
    only_reads = json.dumps({"Statement": [{"Effect": "Allow", "Action": "dynamodb:Get*", "Resource": "*"}]})
    bounded = iam.simulate_custom_policy(
        PolicyInputList=[policy],
        PermissionsBoundaryPolicyInputList=[only_reads],
        ActionNames=["dynamodb:PutItem", "dynamodb:GetItem"],
        ResourceArns=[orders],
    )["EvaluationResults"]
    assert [each["EvalDecision"] for each in bounded] == ["implicitDeny", "allowed"]
    assert [each["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for each in bounded] == [
        False,
        True,
    ]
    with pytest.raises(ClientError, match="InvalidInput"):
        iam.simulate_custom_policy(PolicyInputList=["no policy"], ActionNames=["s3:GetObject"])

    role = iam.create_role(RoleName=f"simulated-{next(_numbers)}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="orders", PolicyDocument=policy)
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    of_role = iam.simulate_principal_policy(
        PolicySourceArn=role["Arn"], ActionNames=["dynamodb:PutItem", "sqs:ListQueues", "sqs:SendMessage"]
    )
    assert [each["EvalDecision"] for each in of_role["EvaluationResults"]] == [
        "implicitDeny",
        "allowed",
        "implicitDeny",
    ]
    source = of_role["EvaluationResults"][1]["MatchedStatements"][0]
    assert (source["SourcePolicyId"], source["SourcePolicyType"]) == ("AmazonSQSReadOnlyAccess", "aws-managed")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.simulate_principal_policy(PolicySourceArn=role["Arn"] + "-gone", ActionNames=["s3:GetObject"])


def test_a_log_needs_a_role_that_may_write_it(acting):
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html: without the permissions there is no log."""
    who = acting()
    function = who._function
    group = f"/aws/lambda/{function.name}"
    answer = function.invoke([], LogType="Tail")
    assert b"REPORT RequestId" in base64.b64decode(answer["LogResult"])
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert groups == []
    boto3.client("iam").attach_role_policy(
        RoleName=who.role, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    function.invoke([])
    assert [line.split()[0] for line in function.lines()] == ["START", "END", "REPORT"]
    who.allow("logs:PutLogEvents", Effect="Deny", resource=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:*")
    function.invoke([])
    assert len(function.lines()) == 3


FAILS = "def handler(event, context):\n    raise ValueError('no such order')"


def test_destinations_and_dead_letter_queues_need_a_role_that_may_send(local_aws, acting, deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html: the execution role must be able to write.

    DestinationDeliveryFailures and DeadLetterErrors count what was not (monitoring-metrics-types.html).
    """
    who, sqs, client = acting(), boto3.client("sqs"), boto3.client("lambda")
    url = sqs.create_queue(QueueName=f"given-up-{next(_numbers)}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{url.rpartition('/')[2]}"
    function = deploy(FAILS, Role=f"arn:aws:iam::{ACCOUNT}:role/{who.role}", DeadLetterConfig={"TargetArn": arn})
    client.put_function_event_invoke_config(
        FunctionName=function.name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )

    def failures(metric):
        found = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": function.name}],
            StartTime=0,
            EndTime=local_aws.clock.now() + 60,
            Period=86_400 * 365 * 100,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in found)

    function.invoke(InvocationType="Event")
    local_aws.settle()
    assert (failures("DestinationDeliveryFailures"), failures("DeadLetterErrors")) == (1, 1)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    who.allow("sqs:SendMessage", resource=arn)
    function.invoke(InvocationType="Event")
    local_aws.settle()
    assert (failures("DestinationDeliveryFailures"), failures("DeadLetterErrors")) == (1, 1)
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2
