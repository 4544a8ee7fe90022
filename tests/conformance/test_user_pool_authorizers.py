"""APIs that let in who has a token of a Cognito user pool.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.conftest import http
from tests.conformance.test_http_api import ECHO, HttpApi
from tests.conformance.test_rest_api import RestApi


class Pool(NamedTuple):
    """A user pool with one user."""

    pool_id: str
    arn: str
    client_id: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.us-east-1.amazonaws.com/{self.pool_id}"

    def tokens(self) -> dict[str, str]:
        """Sign in, as any browser could: without AWS credentials."""
        signed_in = boto3.client("cognito-idp").initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "kim", "PASSWORD": "Parcel-1042!"},
        )
        return dict(signed_in["AuthenticationResult"])


@pytest.fixture
def pool(local_aws) -> Iterator[Pool]:
    client = boto3.client("cognito-idp")
    made = client.create_user_pool(PoolName="parcel")["UserPool"]
    app = client.create_user_pool_client(UserPoolId=made["Id"], ClientName="till")["UserPoolClient"]
    client.admin_create_user(UserPoolId=made["Id"], Username="kim", MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=made["Id"], Username="kim", Password="Parcel-1042!", Permanent=True)
    yield Pool(made["Id"], made["Arn"], app["ClientId"])
    client.delete_user_pool(UserPoolId=made["Id"])


def test_an_http_api_checks_tokens(deploy, pool, local_aws):
    api = HttpApi()
    authorizer = api.client.create_authorizer(
        ApiId=api.id,
        Name="users",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": pool.issuer, "Audience": [pool.client_id]},
    )["AuthorizerId"]
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    function = deploy(ECHO)
    api.function(function, "GET /orders", route=guarded)
    api.function(function, "GET /refunds", route={**guarded, "AuthorizationScopes": ["refund"]}, permit=False)
    api.stage()
    tokens = pool.tokens()
    context = http(api.endpoint + "/orders", Authorization=f"Bearer {tokens['IdToken']}").json["requestContext"]
    assert context["authorizer"]["jwt"]["claims"]["cognito:username"] == "kim"
    assert context["authorizer"]["jwt"]["claims"]["token_use"] == "id"
    assert context["authorizer"]["jwt"]["scopes"] is None
    assert http(api.endpoint + "/orders", Authorization=tokens["AccessToken"]).status == 200
    response = http(api.endpoint + "/refunds", Authorization=tokens["AccessToken"])
    assert (response.status, response.json) == (403, {"message": "Forbidden"})
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    response = http(api.endpoint + "/orders")
    assert (response.status, response.text) == (401, '{"message":"Unauthorized"}')
    forged = tokens["IdToken"][:-8] + "AAAAAAAA"
    for token, why in ((forged, "signature is invalid"), ("nonsense", "the token is malformed")):
        response = http(api.endpoint + "/orders", Authorization=token)
        assert response.status == 401
        assert f'error_description="{why}"' in response.headers["www-authenticate"]
    local_aws.clock.advance(minutes=61)
    response = http(api.endpoint + "/orders", Authorization=tokens["IdToken"])
    assert 'error_description="the token has expired"' in response.headers["www-authenticate"]
    api.client.update_authorizer(
        ApiId=api.id, AuthorizerId=authorizer, JwtConfiguration={"Issuer": pool.issuer, "Audience": ["another"]}
    )
    assert http(api.endpoint + "/orders", Authorization=pool.tokens()["IdToken"]).status == 401
    api.client.delete_api(ApiId=api.id)


def test_a_rest_api_checks_tokens(deploy, pool, local_aws):
    api = RestApi(local_aws.url)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="users",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool.arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    guarded = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer}
    api.proxy("/orders", deploy(ECHO), settings=guarded)
    api.deploy()
    tokens = pool.tokens()
    context = http(api.url("/orders"), Authorization=tokens["IdToken"]).json["requestContext"]
    assert context["authorizer"]["claims"]["cognito:username"] == "kim"
    for token in (tokens["AccessToken"], "nonsense"):
        response = http(api.url("/orders"), Authorization=token)
        assert (response.status, response.json) == (401, {"message": "Unauthorized"})
    assert http(api.url("/orders")).status == 401
    local_aws.clock.advance(minutes=61)
    response = http(api.url("/orders"), Authorization=tokens["IdToken"])
    assert (response.status, response.json) == (401, {"message": "The incoming token has expired"})
    api.client.delete_rest_api(restApiId=api.id)


def test_only_what_aws_takes_unsigned_is_taken_unsigned(pool):
    """InitiateAuth is for everybody; the administrator's operations are not."""
    anybody = boto3.client("cognito-idp", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        anybody.initiate_auth(
            ClientId=pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "kim", "PASSWORD": "wrong"},
        )
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        anybody.list_user_pools(MaxResults=1)
