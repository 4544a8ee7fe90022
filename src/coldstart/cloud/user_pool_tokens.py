"""Verifies the tokens of local Cognito user pools, for the authorizers of APIs.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html. Tokens of other
issuers cannot be verified: their keys are on the network.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.backends import get_backend

_ISSUER = re.compile(r"https://cognito-idp\.([a-z0-9-]+)\.amazonaws\.com/([\w-]+)")


class InvalidToken(Exception):
    """The token is not one of a local user pool, or not valid any more; the message says why, as API Gateway does."""


def issuer_of(user_pool_arn: str) -> str:
    """Return the issuer that a user pool writes into its tokens."""
    _, _, _, region, _, resource = user_pool_arn.split(":", 5)
    return f"https://cognito-idp.{region}.amazonaws.com/{resource.rpartition('/')[2]}"


def verified_claims(token: str, account_id: str, now: float) -> dict[str, Any]:
    """Return what a token claims.

    Args:
        token: with or without ``Bearer`` before it.
        account_id: whose user pools count.
        now: seconds since the epoch.

    Raises:
        InvalidToken: it does not hold.
    """
    from joserfc import jws, jwt  # fifty modules, which few lessons need
    from joserfc.errors import JoseError

    token = re.sub(r"^bearer\s+", "", token.strip(), flags=re.IGNORECASE)
    try:
        issuer = json.loads(jws.extract_compact(token.encode()).payload)["iss"]
    except (JoseError, ValueError, TypeError, KeyError):
        raise InvalidToken("the token is malformed") from None
    found = _ISSUER.fullmatch(str(issuer))
    pool = get_backend("cognito-idp")[account_id][found[1]].user_pools.get(found[2]) if found else None
    if pool is None:
        raise InvalidToken("unable to verify the issuer")
    try:
        claims: dict[str, Any] = jwt.decode(token, pool.json_web_key, algorithms=["RS256"]).claims
    except (JoseError, ValueError):
        raise InvalidToken("signature is invalid") from None
    if now >= float(claims.get("exp") or 0):
        raise InvalidToken("the token has expired")
    if now < float(claims.get("nbf") or 0):
        raise InvalidToken("the token is not valid yet")
    return claims


def missing_scopes(claims: dict[str, Any], wanted: list[str]) -> bool:
    """Say whether a token has none of the scopes of which an API wants one."""
    return bool(wanted) and not set(wanted) & set(str(claims.get("scope") or "").split())
