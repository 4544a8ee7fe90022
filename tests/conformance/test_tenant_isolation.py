"""Tenants never share an execution environment. https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

WHO = """
import os
count = 0
def handler(event, context):
    global count
    count += 1
    return {"tenant": context.tenant_id, "process": os.getpid(), "count": count}
"""


def test_each_tenant_has_environments_of_its_own(deploy):
    function = deploy(WHO, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    answers = [function.invoke(TenantId=tenant)["Payload"] for tenant in ("acme", "globex", "acme", "globex", "acme")]
    assert [answer["tenant"] for answer in answers] == ["acme", "globex", "acme", "globex", "acme"]
    assert [answer["count"] for answer in answers] == [1, 1, 2, 2, 3]
    assert len({answer["process"] for answer in answers}) == 2


def test_whoever_does_not_say_for_which_tenant_is_refused(deploy):
    function = deploy(WHO, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    with pytest.raises(ClientError) as error:
        function.invoke()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_without_tenants_there_is_no_tenant_id(deploy):
    assert deploy(WHO).invoke()["Payload"]["tenant"] is None


def test_a_function_alone_keeps_tenants_apart(run):
    function = run({"app.py": WHO})
    answers = [json.loads(function.invoke(b"{}", tenant_id=f"tenant-{n}").payload) for n in range(5)]
    assert len({answer["process"] for answer in answers}) == 5
    assert [answer["tenant"] for answer in answers] == [f"tenant-{n}" for n in range(5)]
