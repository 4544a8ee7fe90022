"""The inline host: functions in this interpreter, for a page in a browser. The tests of the other host hold it too.

What it cannot do is in ``coldstart.runtime.inline_sandboxes``, and pinned here.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import urllib.request

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from coldstart import cloud
from tests.conformance.conftest import zipped
from tests.conformance.test_function_errors import (  # noqa: F401
    test_a_function_that_cannot_start,
    test_a_handler_that_ends_its_process,
    test_a_response_above_the_limit,
    test_an_exception_is_unhandled_and_keeps_the_environment,
    test_what_is_no_json_cannot_be_returned,
)
from tests.conformance.test_invoke import (  # noqa: F401
    test_an_event_invocation_returns_at_once,
    test_bad_requests_get_awss_errors,
    test_module_state_survives_between_invocations_of_one_environment,
    test_new_code_starts_cold,
    test_the_context_names_the_function_and_the_request,
    test_the_handler_gets_the_event_and_its_result_comes_back,
    test_the_handlers_own_boto3_reaches_the_same_local_aws_as_its_role,
)
from tests.conformance.test_json_logs import (  # noqa: F401
    test_records_of_logging_are_json_and_begin_with_info,
    test_the_platforms_events_are_json,
)
from tests.conformance.test_logs import (  # noqa: F401
    test_prints_and_log_records_keep_their_order_and_a_record_is_one_event,
    test_the_error_is_logged_as_aws_logs_it,
    test_the_tail_of_the_log_comes_with_the_response,
)
from tests.conformance.test_s3_events import (  # noqa: F401
    bucket,
    s3,
    test_prefix_and_suffix,
    test_the_record_of_an_upload,
    told,
)
from tests.conformance.test_sandbox import (  # noqa: F401
    test_each_environment_has_a_temporary_directory_of_its_own,
    test_nothing_of_the_learners_environment_is_there,
    test_only_what_lambda_brings_can_be_imported,
    test_the_documented_variables_are_there,
)
from tests.conformance.test_sqs_mapping import (  # noqa: F401
    make_queue,
    map_to,
    test_a_failed_batch_comes_back_after_the_visibility_timeout_and_ends_in_the_dead_letter_queue,
    test_partial_batch_responses,
    test_ten_messages_make_one_event_that_looks_like_the_one_of_aws,
)
from tests.conformance.test_traces import (  # noqa: F401
    sdk_layer,
    test_a_trace_goes_on_through_other_functions,
    test_others_reach_the_daemon_too_and_nonsense_does_no_harm,
    test_the_xray_sdk_reaches_the_daemon,
    tracing,
)

pytestmark = [
    pytest.mark.parametrize("local_aws", ["inline"], indirect=True),
    pytest.mark.usefixtures("local_aws"),
    pytest.mark.long,
]

COUNTER = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"


def test_lesson_01_needs_no_process_no_thread_and_no_port(tmp_path):
    """Its start is in another interpreter, in which whatever a browser does not have is an error."""
    program = """
        import os, socket, subprocess, sys, threading

        def refuse(*_, **__):
            raise RuntimeError("can't do this in a browser")

        threading.Thread.start = subprocess.Popen.__init__ = os.fork = refuse
        socket.socket.bind = socket.socket.listen = socket.socket.connect = refuse
        for missing in ("psutil", "resource", "fcntl", "IPython", "ipywidgets", "anywidget", "zmq", "rpds"):
            sys.modules[missing] = None

        import base64, io, json, zipfile
        import boto3
        from coldstart import check, cloud, compare, explain_access, hint, predict, quiz, solution, state, timeline

        cloud.start(host="inline")
        with open("confirm.py", "w") as file:
            file.write("def handler(event, context):\\n    print('packing')\\n    return {'thanks': event['name']}\\n")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.write("confirm.py")
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        role = boto3.client("iam").create_role(RoleName="parcel-functions", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        client = boto3.client("lambda")
        client.create_function(
            FunctionName="parcel-confirm", Runtime="python3.14", Role=role["Arn"], Handler="confirm.handler",
            Code={"ZipFile": buffer.getvalue()},
        )
        client.get_waiter("function_active_v2").wait(FunctionName="parcel-confirm")
        for _ in range(2):
            answer = client.invoke(FunctionName="parcel-confirm", Payload=json.dumps({"name": "Ada"}), LogType="Tail")
            print(answer["Payload"].read().decode())
        log = boto3.client("logs").filter_log_events(logGroupName="/aws/lambda/parcel-confirm")["events"]
        print([event["message"].split()[0] for event in log])
        timeline("parcel-confirm")._repr_mimebundle_()
        print(state())
        print(check("01.1"))
        hint("01.1"), predict("01.p1"), quiz("01.q1"), compare("01.p1")
        folder = cloud.current()._folder
        cloud.stop()
        print("folder left behind:", folder.exists())
    """
    environment = {**os.environ, "COLDSTART_LEARNER": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ['{"thanks": "Ada"}'] * 2
    assert lines[2] == "['INIT_START', 'START', 'packing', 'END', 'REPORT', 'START', 'packing', 'END', 'REPORT']"
    assert "parcel-confirm" in done.stdout
    assert lines[-1] == "folder left behind: False"


def test_environments_share_no_modules_and_leave_the_interpreter_as_it_was(deploy, local_aws):
    before = (dict(os.environ), sys.path[:], os.getcwd(), sys.stdout, sys.dont_write_bytecode)
    first, second = deploy(COUNTER), deploy(COUNTER)
    assert [first.invoke()["Payload"], first.invoke()["Payload"], second.invoke()["Payload"]] == [1, 2, 1]
    with pytest.raises(ModuleNotFoundError):
        import app  # noqa: F401
    deploy("raise RuntimeError('no table')").invoke()
    after = (dict(os.environ), sys.path[:], os.getcwd(), sys.stdout, sys.dont_write_bytecode)
    assert [now for now, then in zip(after, before, strict=True) if now != then] == []
    assert not {"app", "runtime_client"} & set(sys.modules)


def test_logging_random_and_the_default_session_are_each_environments_own(deploy):
    import logging
    import random

    level, session = logging.getLogger().level, boto3.DEFAULT_SESSION
    random.seed(7)
    expected = random.random()
    random.seed(7)
    function = deploy(
        "import boto3, logging, random\n"
        "logging.getLogger().setLevel('DEBUG')\n"
        "random.seed(1)\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs')\n"
        "    return boto3.DEFAULT_SESSION.get_credentials().access_key\n"
    )
    assert function.invoke()["Payload"] != os.environ["AWS_ACCESS_KEY_ID"]
    assert logging.getLogger().level == level
    assert random.random() == expected
    assert boto3.DEFAULT_SESSION is session


def test_a_module_of_the_package_takes_the_place_of_one_of_python_for_the_function_alone(deploy, local_aws):
    import calendar

    function = deploy(
        "",
        Code={
            "ZipFile": zipped(
                {
                    "app.py": "import calendar\ndef handler(event, context):\n    return calendar.OWNER\n",
                    "calendar.py": "OWNER = 'Parcel'\n",
                }
            )
        },
    )
    assert function.invoke()["Payload"] == "Parcel"
    assert sys.modules["calendar"] is calendar


def test_a_function_may_be_the_first_to_call_a_service(deploy):
    """What answers is loaded then, and not into the function."""
    assert "moto.polly" not in sys.modules
    function = deploy(
        "import boto3, sys\n"
        "def handler(event, context):\n"
        "    voices = boto3.client('polly').describe_voices()['Voices']\n"
        "    return [len(voices) > 0, 'moto' in sys.modules, 'coldstart' in sys.modules]\n",
        Timeout=30,
    )
    assert function.invoke()["Payload"] == [True, False, False]
    assert "moto.polly" in sys.modules


def test_a_function_that_calls_another_waits_for_it(deploy, local_aws):
    inner = deploy(
        "import os\ndef handler(event, context):\n    print('inner')\n    return os.environ['WHO']\n",
        Environment={"Variables": {"WHO": "inner"}},
    )
    outer = deploy(
        "import boto3, json, os\n"
        "def handler(event, context):\n"
        "    print('before')\n"
        "    answer = json.load(boto3.client('lambda').invoke(FunctionName=event)['Payload'])\n"
        "    print('after')\n"
        "    return [os.environ['WHO'], answer]\n",
        Environment={"Variables": {"WHO": "outer"}},
        Timeout=30,
    )
    assert outer.invoke(inner.name)["Payload"] == ["outer", "inner"]
    assert [line for line in outer.lines() if line in ("before\n", "inner\n", "after\n")] == ["before\n", "after\n"]


def test_what_is_due_is_done_when_the_cloud_is_asked_for_something(deploy, local_aws):
    """Two retries, as https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html says."""
    function = deploy("def handler(event, context):\n    raise RuntimeError('out of paper')\n")
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b"{}")
    assert [phase.kind for phase in local_aws.record.phases(function.name)] == []
    assert sum(line.startswith("START") for line in function.lines()) == 1
    local_aws.clock.advance(minutes=5)
    assert sum(line.startswith("START") for line in function.lines()) == 3


def test_what_fails_in_the_background_is_told_at_the_next_settle(local_aws):
    from coldstart.runtime.clock import WorkFailed

    def fail() -> None:
        raise KeyError("shelf 7")

    local_aws.clock.work(fail, "packing")
    with pytest.raises(WorkFailed, match="packing: KeyError: 'shelf 7'"):
        local_aws.settle()
    local_aws.settle()


@pytest.mark.parametrize(
    ("late", "when"),
    [("time.sleep(60)", "sleeps"), ("deadline(); print('late')", "prints"), ("deadline()", "answers")],
    ids=lambda value: value if value.isalpha() else "",
)
def test_a_function_is_stopped_after_its_timeout_when_it(deploy, late, when):
    function = deploy(
        "import time\n"
        "count = 0\n"
        "def deadline(wait=__import__('_thread').allocate_lock()):\n"
        "    wait.acquire()\n"
        "    wait.acquire(timeout=1.1)  # unlike time.sleep, nobody but the lock knows of it\n"
        "def handler(event, context):\n"
        "    global count\n"
        "    count += 1\n"
        "    if event:\n"
        f"        {late}\n"
        "    return count\n",
        Timeout=1,
    )
    function.invoke()
    failed = function.invoke({"late": True}, LogType="Tail")
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == "Sandbox.Timedout"
    assert failed["Payload"]["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    log = base64.b64decode(failed["LogResult"]).decode()
    assert "late" not in log
    assert "\tDuration: 1000.00 ms\t" in log
    assert function.invoke()["Payload"] == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 nobody asks a loop whether its time is over")
def test_a_loop_without_end_is_stopped(deploy):
    code = "def handler(event, context):\n    while event:\n        pass\n    return 'done'\n"
    function = deploy(code, Timeout=1)
    assert function.invoke({"hang": True})["Payload"]["errorType"] == "Sandbox.Timedout"
    assert function.invoke()["Payload"] == "done"


def test_a_cell_that_is_interrupted_leaves_nothing_of_the_function_behind(deploy):
    function = deploy(
        "import time\ndef handler(event, context):\n    time.sleep(event.get('seconds', 0))\n", Timeout=60
    )
    function.invoke()
    before = sys.stdout, os.getcwd(), os.environ["AWS_ACCESS_KEY_ID"]
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts tests may have it ignored
    timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        function.invoke({"seconds": 30})
    timer.join()
    signal.signal(signal.SIGINT, handler)
    assert (sys.stdout, os.getcwd(), os.environ["AWS_ACCESS_KEY_ID"]) == before
    assert function.invoke()["Payload"] is None


def test_what_it_does_not_measure_is_reported_as_nothing(deploy):
    response = deploy("def handler(event, context):\n    return len(bytearray(100 * 2**20))\n").invoke(LogType="Tail")
    assert response["Payload"] == 100 * 2**20
    assert "\tMax Memory Used: 0 MB\t" in base64.b64decode(response["LogResult"]).decode()


def test_memory_sizes_are_not_compared(deploy):
    from coldstart import tuning_curve

    with pytest.raises(RuntimeError, match="every function has the whole CPU, whatever its memory size"):
        tuning_curve(deploy(COUNTER).name, {})


def test_what_a_function_patches_in_the_sdk_is_patched_for_everybody(deploy):
    code = "import botocore\ndef handler(event, context):\n    botocore.patched_by = event['who']\n"
    import botocore

    try:
        deploy(code).invoke({"who": "parcel"})
        assert botocore.patched_by == "parcel"
    finally:
        del botocore.patched_by


def test_tracing_patches_for_the_function_alone(deploy, tracing, sdk_layer):  # noqa: F811
    import http.client

    from botocore.client import BaseClient

    before = BaseClient._make_api_call, http.client.HTTPResponse.read
    code = (
        "from aws_xray_sdk.core import patch_all\npatch_all()\nimport boto3\n"
        "def handler(event, context):\n    boto3.client('sqs').list_queues()\n"
    )
    function = deploy(code, TracingConfig={"Mode": "Active"}, Layers=[sdk_layer], Timeout=10)
    for _ in range(2):
        assert function.invoke()["Payload"] is None
        assert (BaseClient._make_api_call, http.client.HTTPResponse.read) == before
    found = tracing.summaries(f'service("{function.name}") AND service("sqs")')
    assert len(found) == 2


def test_other_languages_and_extensions_are_refused_with_where_they_run(deploy, local_aws):
    node = deploy("export const handler = async () => 1;", Runtime="nodejs24.x")
    with pytest.raises(ClientError, match="functions need a process of their own"):
        node.invoke()
    client = boto3.client("lambda")
    layer = client.publish_layer_version(
        LayerName="watcher", Content={"ZipFile": zipped({"extensions/watcher": "#!/bin/sh\n"})}
    )["LayerVersionArn"]
    with pytest.raises(ClientError, match="have an extension, which needs a process of its own"):
        deploy(COUNTER, Layers=[layer]).invoke()


def test_a_layer_is_found(deploy):
    layer = boto3.client("lambda").publish_layer_version(
        LayerName="prices", Content={"ZipFile": zipped({"python/prices.py": "LABEL = 3\n"})}
    )["LayerVersionArn"]
    assert (
        deploy("import prices\ndef handler(event, context):\n    return prices.LABEL\n", Layers=[layer]).invoke()[
            "Payload"
        ]
        == 3
    )


def test_snapstart_is_refused_with_where_it_works(deploy, local_aws):
    function = deploy(COUNTER, SnapStart={"ApplyOn": "PublishedVersions"})
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    local_aws.settle()
    state = function.client.get_function_configuration(FunctionName=function.name, Qualifier=version)
    assert state["State"] == "Failed"
    assert "Linux" in state["StateReason"]


def test_provisioned_environments_are_initialised_ahead(deploy, local_aws):
    function = deploy(COUNTER)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=2
    )
    local_aws.settle()
    answer = function.invoke(Qualifier=version, LogType="Tail")
    assert answer["Payload"] == 1
    assert "INIT_START" not in base64.b64decode(answer["LogResult"]).decode()


def test_a_file_and_a_stream_are_sent_and_read(local_aws, tmp_path):
    storage = boto3.client("s3")
    storage.create_bucket(Bucket="parcel-photos")
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG" * 1000)
    with photo.open("rb") as file:
        storage.put_object(Bucket="parcel-photos", Key="a b.png", Body=file)
    answer = storage.get_object(Bucket="parcel-photos", Key="a b.png")
    assert answer["Body"].read(4) == b"\x89PNG"
    assert storage.head_object(Bucket="parcel-photos", Key="a b.png")["ContentLength"] == 4000
    with pytest.raises(ClientError, match="404"):
        storage.head_object(Bucket="parcel-photos", Key="c")


@pytest.mark.parametrize("client", ["requests", "urllib"])
def test_http_clients_reach_function_urls_and_apis(deploy, client):
    function = deploy("def handler(event, context):\n    return {'statusCode': 201, 'body': event['rawPath']}\n")
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="all",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="all-invoke",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    url = function.client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
    api = boto3.client("apigatewayv2").create_api(
        Name="orders", ProtocolType="HTTP", Target=f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}"
    )
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    for address in (url, api["ApiEndpoint"] + "/"):
        for _ in range(2):  # a session would keep a connection
            if client == "requests":
                answer = requests.post(f"{address}orders", data="P-1042")
                assert (answer.status_code, answer.text) == (201, "/orders")
            else:
                with urllib.request.urlopen(f"{address}orders", data=b"P-1042") as answer:
                    assert (answer.status, answer.read()) == (201, b"/orders")


def test_files_are_transferred_without_threads(local_aws, tmp_path, monkeypatch):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    storage = boto3.client("s3")
    storage.create_bucket(Bucket="parcel-films")
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(9 * 2**20))  # comes in parts
    storage.upload_file(str(film), "parcel-films", "film.mp4")
    storage.download_file("parcel-films", "film.mp4", str(tmp_path / "again.mp4"))
    assert (tmp_path / "again.mp4").read_bytes() == film.read_bytes()


def test_step_functions_are_refused_with_where_they_run(local_aws):
    with pytest.raises(ClientError, match="Step Functions needs threads, and this page has none"):
        boto3.client("stepfunctions").list_state_machines()


def test_the_sdk_has_the_path_that_it_has_on_aws(deploy):
    function = deploy(
        "import boto3\ndef handler(event, context):\n    boto3.client('sqs').get_queue_url(QueueName='no')\n"
    )
    trace = "".join(function.invoke()["Payload"]["stackTrace"])
    assert '"/var/runtime/botocore/client.py"' in trace
    assert sys.prefix not in trace


def test_a_host_that_there_is_not_and_another_than_runs_are_refused(local_aws):
    with pytest.raises(ValueError, match="There is no host 'docker'"):
        cloud.start(host="docker")
    with pytest.raises(ValueError, match="runs already, with the host 'inline'"):
        cloud.start(host="process")
    assert cloud.start() is cloud.start(host="inline") is local_aws


def test_a_response_can_be_streamed_to_the_caller(deploy):
    function = deploy("def handler(event, context):\n    return {'parcels': 3}\n")
    stream = function.client.invoke_with_response_stream(FunctionName=function.name)["EventStream"]
    parts = [event["PayloadChunk"]["Payload"] for event in stream if "PayloadChunk" in event]
    assert json.loads(b"".join(parts)) == {"parcels": 3}
