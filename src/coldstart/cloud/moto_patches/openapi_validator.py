"""moto's REST APIs are loaded without the validator of OpenAPI documents, which takes longer to load than all of the cloud.

moto (apigateway/models.py) imports ``openapi_spec_validator`` at its top, and that loads the validators of JSON Schema. Only
:mod:`coldstart.cloud.moto_patches.rest_api_documents` calls it, in place of moto and when a document asks for it.
"""

from __future__ import annotations

import sys
from types import ModuleType

_VALIDATOR = (
    "openapi_spec_validator",
    "openapi_spec_validator.validation",
    "openapi_spec_validator.validation.exceptions",
)
_stand_ins: dict[str, ModuleType] = {}


def stand_in() -> None:
    """Let moto find something else in its place."""
    if _VALIDATOR[0] in sys.modules:
        return
    _stand_ins.update({name: ModuleType(name) for name in _VALIDATOR})
    vars(_stand_ins[_VALIDATOR[0]])["validate"] = None
    vars(_stand_ins[_VALIDATOR[2]])["OpenAPIValidationError"] = ValueError
    sys.modules.update(_stand_ins)


def stand_back() -> None:
    """Let everybody find it again."""
    while _stand_ins:
        del sys.modules[_stand_ins.popitem()[0]]
