"""moto's REST APIs are loaded without the validator of OpenAPI documents, which takes longer to load than all of the cloud.

moto (apigateway/models.py) imports ``openapi_spec_validator`` at its top, and that builds the grammar of internationalised
addresses. Only :mod:`coldstart.cloud.moto_patches.rest_api_documents` calls it, in place of moto and when a document asks for it.
Importing this module is what does it: it has to come before anything else that imports ``moto.apigateway``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_VALIDATOR = (
    "openapi_spec_validator",
    "openapi_spec_validator.validation",
    "openapi_spec_validator.validation.exceptions",
)


def _import_rest_apis() -> None:
    if _VALIDATOR[0] in sys.modules or "moto.apigateway.models" in sys.modules:
        return
    stand_ins = {name: ModuleType(name) for name in _VALIDATOR}
    vars(stand_ins[_VALIDATOR[0]])["validate"] = None
    vars(stand_ins[_VALIDATOR[2]])["OpenAPIValidationError"] = ValueError
    sys.modules.update(stand_ins)
    try:
        importlib.import_module("moto.apigateway.models")
    finally:
        for name in _VALIDATOR:
            del sys.modules[name]


_import_rest_apis()
