"""Local never means real: credentials, hosts, ports, and what is left when the kernel goes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from coldstart import cloud
from coldstart.cloud.learner_environment import RealAwsRefused


def _in_a_kernel(code: str, *, ends: bool = True, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **variables},
        stdin=subprocess.DEVNULL if ends else subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_starting_twice_is_starting_once(local_aws):
    assert cloud.start() is local_aws
    assert os.environ["AWS_ENDPOINT_URL"] == local_aws.url
    assert str(local_aws.url).startswith("http://127.0.0.1:")
    assert "real AWS" in repr(local_aws)


def test_stop_gives_the_environment_back_and_a_new_start_is_empty():
    kernel = _in_a_kernel(
        """
        import os
        from coldstart import cloud
        import boto3
        cloud.start()
        hidden = os.environ.get("AWS_PROFILE") is None and os.environ["AWS_ACCESS_KEY_ID"] != "AKIAREALREALREALREAL"
        boto3.client("sqs").create_queue(QueueName="labels")
        cloud.stop()
        cloud.stop()
        back = os.environ["AWS_PROFILE"], os.environ["AWS_ACCESS_KEY_ID"], os.environ.get("AWS_ENDPOINT_URL")
        cloud.start()
        print(hidden, back, boto3.client("sqs").list_queues().get("QueueUrls"))
        cloud.stop()
        """,
        AWS_PROFILE="parcel-production",
        AWS_ACCESS_KEY_ID="AKIAREALREALREALREAL",
    )
    out, _ = kernel.communicate(timeout=60)
    assert out.strip() == "True ('parcel-production', 'AKIAREALREALREALREAL', None) None"


def test_a_new_start_is_as_strict_as_the_first():
    kernel = _in_a_kernel("""
        from coldstart import cloud
        import boto3
        for _ in range(2):
            cloud.start()
            logs = boto3.client("logs")
            logs.create_log_group(logGroupName="/parcel")
            transformation = {"metricName": "m", "metricNamespace": "Parcel", "metricValue": "1"}
            try:
                logs.put_metric_filter(
                    logGroupName="/parcel", filterName="f", filterPattern="ada@example.com", metricTransformations=[transformation]
                )
            except logs.exceptions.InvalidParameterException:
                print("refused")
            cloud.stop()
        """)
    out, _ = kernel.communicate(timeout=60)
    assert out.split() == ["refused", "refused"]


def test_a_start_does_not_load_the_validators_of_documents():
    """They take longer to load than everything else, and a learner waits for it in the first cell of each notebook."""
    kernel = _in_a_kernel("""
        import sys
        from coldstart import check, cloud, compare, hint, predict, quiz, solution
        cloud.start()
        predict("01.p1"), check("01.1")
        print(*({"jsonschema", "openapi_spec_validator", "rfc3987_syntax"} & set(sys.modules)))
        """)
    out, _ = kernel.communicate(timeout=60)
    assert out.split() == []


def test_a_start_loads_no_service_that_nobody_asks_for():
    kernel = _in_a_kernel("""
        import sys
        from coldstart import cloud
        cloud.start()
        services = "apigateway apigatewayv2 awslambda cloudformation dynamodb events iam kinesis logs s3 sns sqs stepfunctions"
        print(*(each for each in services.split() if f"moto.{each}" in sys.modules))
        """)
    out, _ = kernel.communicate(timeout=60)
    assert out.split() == []


def test_the_courses_own_modules_load_no_cloud_before_it_is_started():
    kernel = _in_a_kernel("""
        import sys
        from coldstart import check, cloud, hint, predict
        from coldstart.course import build
        print(*({"boto3", "jupyter_client", "moto"} & set(sys.modules)))
        """)
    out, _ = kernel.communicate(timeout=60)
    assert out.split() == []


def test_a_service_is_corrected_whatever_of_it_is_loaded_first():
    """The policies of moto's IAM load S3, whose corrections want the policies of IAM."""
    kernel = _in_a_kernel("""
        import sys
        from coldstart import cloud
        cloud.start()
        from moto.iam import access_control
        from moto.events.models import EventsBackend
        from moto.iam.models import IAMBackend
        from moto.s3.models import FakeBucket, S3Backend
        corrected = (FakeBucket.get_permission, IAMBackend.__init__)
        taken_over = lambda: (S3Backend.delete_object, EventsBackend.put_events)
        print(*(each.__module__.split(".")[0] for each in (*corrected, *taken_over())))
        cloud.stop()
        print(*(each.__module__.split(".")[0] for each in (*corrected, *taken_over())))
        cloud.start()
        print(*(each.__module__.split(".")[0] for each in (*corrected, *taken_over())))
        """)
    out, _ = kernel.communicate(timeout=60)
    assert out.splitlines() == [
        "coldstart coldstart coldstart coldstart",
        "coldstart coldstart moto moto",
        "coldstart coldstart coldstart coldstart",
    ]


def test_a_client_aimed_at_the_real_aws_is_refused(local_aws):
    with pytest.raises(RealAwsRefused, match=r"does not talk to s3\.amazonaws\.com"):
        boto3.client("s3", endpoint_url="https://s3.amazonaws.com").list_buckets()


def test_a_stranger_on_this_machine_is_refused(local_aws):
    stranger = boto3.client("lambda", aws_access_key_id="AKIASTRANGER", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.list_functions()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{local_aws.url}/moto-api/data.json")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(local_aws.url, headers={"Origin": "https://example.com"}))


def test_a_proxy_is_not_asked_for_the_way_to_this_machine():
    kernel = _in_a_kernel(
        """
        import os, urllib.error, urllib.request
        from coldstart import cloud
        import boto3, requests
        aws = cloud.start()
        boto3.client("sqs").list_queues()
        url = f"http://{'a' * 32}.lambda-url.us-east-1.localhost:{aws.url.rpartition(':')[2]}/"
        print(requests.get(url).status_code)
        try:
            urllib.request.urlopen(url)
        except urllib.error.HTTPError as error:
            print(error.code)
        print(os.environ["NO_PROXY"])
        cloud.stop()
        print(os.environ["NO_PROXY"], os.environ.get("no_proxy"))
        """,
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
        NO_PROXY="intranet.example",
        no_proxy="intranet.example",
    )
    out, _ = kernel.communicate(timeout=60)
    assert out.split() == ["403", "403", "intranet.example,127.0.0.1,localhost", "intranet.example", "intranet.example"]


def test_a_name_that_a_web_page_gave_to_this_address_is_refused(local_aws):
    """DNS rebinding: the page's own host name leads here, and its requests have no Origin header."""
    for path in ("/", "/_aws/lambda-url/abc/", "/moto-api/data.json"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(local_aws.url + path, headers={"Host": "evil.example"}))


def test_names_under_localhost_lead_here_while_the_cloud_runs(local_aws):
    port = local_aws.url.rpartition(":")[2]
    with socket.create_connection(("abc.execute-api.us-east-1.localhost", int(port)), timeout=5) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"


def test_a_bucket_is_also_found_under_a_name_of_its_own(local_aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket="virtual-host")
    client.put_object(Bucket="virtual-host", Key="label.txt", Body=b"P-1042")
    address = local_aws.url.replace("127.0.0.1", "virtual-host.localhost")
    query = urllib.parse.urlsplit(
        client.generate_presigned_url("get_object", Params={"Bucket": "virtual-host", "Key": "label.txt"})
    ).query
    assert urllib.request.urlopen(f"{address}/label.txt?{query}").read() == b"P-1042"


def test_everything_listens_on_loopback_only(deploy):
    deploy("def handler(event, context):\n    return 1\n").invoke()
    listening = [c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_a_broken_request_does_not_bring_the_cloud_down(local_aws):
    host, _, port = local_aws.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01 hello?\r\n\r\n")
        assert connection.recv(100) == b""
    assert boto3.client("lambda").list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_nothing_is_left_when_the_kernel_ends(tmp_path, ending):
    kernel = _in_a_kernel(
        """
        import io, json, signal, sys, threading, time, zipfile
        # As a kernel has it: started in the background of a shell, a program is born deaf to SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from coldstart import cloud
        cloud.start()
        import boto3
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", '''
        import os, subprocess
        def handler(event, context):
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            while event.get("hang"): pass
            return [os.getpid(), child.pid]
        '''.replace("\\n        ", "\\n"))
        client = boto3.client("lambda")
        client.create_function(FunctionName="orders", Runtime="python3.14", Role=role, Handler="app.handler",
                               Timeout=600, Code={"ZipFile": package.getvalue()})
        pids = json.loads(client.invoke(FunctionName="orders")["Payload"].read())
        client.invoke(FunctionName="orders", InvocationType="Event", Payload='{"hang": true}')
        print(*pids, flush=True)
        sys.stdin.readline()
        """,
        ends=False,
        TMPDIR=str(tmp_path),
    )
    assert kernel.stdout is not None
    pids = [int(pid) for pid in kernel.stdout.readline().split()]
    family = [psutil.Process(pid) for pid in pids]
    launcher = family[0].parent()
    assert launcher is not None
    assert list(tmp_path.iterdir())
    if ending is None:
        assert kernel.stdin is not None
        kernel.stdin.close()  # the last line of its program has been waiting for this
        kernel.wait(timeout=20)
    else:
        kernel.send_signal(ending)
        kernel.wait(timeout=20)
    _, alive = psutil.wait_procs([*family, launcher], timeout=10)
    assert not alive
    assert not list(Path(tmp_path).iterdir())
