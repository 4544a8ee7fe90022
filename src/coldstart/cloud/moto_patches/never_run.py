"""What would call functions and never does here is refused; moto stores it and looks as if all were well.

EventBridge Pipes (moto/pipes/models.py, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html), the Lambda triggers of
user pools (moto/cognitoidp/models.py, https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html)
and CodeDeploy's deployments (moto/codedeploy/models.py, https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments.html).
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from moto.cognitoidp.models import CognitoIdpBackend


def refuse_pipes() -> None:
    """Refuse to make a pipe."""
    from moto.pipes.models import EventBridgePipesBackend

    EventBridgePipesBackend.create_pipe = _refuse(
        "it runs no EventBridge Pipes. An event source mapping or a rule leads to a function too"
    )


def refuse_deployments() -> None:
    """Refuse to begin a deployment."""
    from moto.codedeploy.models import CodeDeployBackend

    CodeDeployBackend.create_deployment = _refuse(
        "it runs no deployments of CodeDeploy. The weights of an alias shift invocations too"
    )


def refuse_triggers() -> None:
    """Refuse to make a user pool with triggers."""
    from moto.cognitoidp.models import CognitoIdpBackend

    for name in ("create_user_pool", "update_user_pool"):
        setattr(CognitoIdpBackend, name, _without_triggers(getattr(CognitoIdpBackend, name)))


def _refuse(why: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **named: Any) -> NoReturn:
        raise NotImplementedError(why)

    return refuse


def _without_triggers(motos: Callable[..., Any]) -> Callable[..., Any]:
    def user_pool(backend: CognitoIdpBackend, *arguments: Any, **named: Any) -> Any:
        config = next((each for each in (*arguments, named.get("extended_config")) if isinstance(each, dict)), {})
        if config.get("LambdaConfig"):
            raise NotImplementedError("it runs no Lambda triggers of user pools")
        return motos(backend, *arguments, **named)

    return user_pool
