"""What API Gateway offers to mapping templates: ``$input``, ``$util``, ``$context`` and ``$stageVariables``.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from coldstart.events.mapping_template import UNDEFINED, as_json

_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[(['"])(.*?)\3\]|\.?(\[\*\]|\.\*)""")


class Input:
    """``$input``: the body and the parameters of a request or of an integration's response."""

    def __init__(
        self, body: str, path: Mapping[str, str], query: Mapping[str, str], headers: Mapping[str, str]
    ) -> None:
        self._body = body
        self._parameters = {"path": dict(path), "querystring": dict(query), "header": dict(headers)}
        self.template_members = {"body": body}
        self.template_methods: dict[str, Callable[..., Any]] = {
            "json": self._json,
            "path": lambda path: json_path(self._document(), path),
            "params": self._params,
        }

    def _document(self) -> Any:
        if not self._body:
            return {}
        try:
            return json.loads(self._body)
        except ValueError:
            return self._body

    def _json(self, path: str) -> str:
        found = json_path(self._document(), path)
        return '""' if found is UNDEFINED else as_json(found)

    def _params(self, name: str | None = None) -> Any:
        if name is None:
            return self._parameters
        for kind in ("path", "querystring", "header"):
            if name in self._parameters[kind]:
                return self._parameters[kind][name]
        lower = {key.lower(): value for key, value in self._parameters["header"].items()}
        return lower.get(name.lower(), "")


class Util:
    """``$util``: escaping and encoding."""

    def __init__(self) -> None:
        self.template_methods: dict[str, Callable[..., Any]] = {
            "escapeJavaScript": lambda text: json.dumps(str(text), ensure_ascii=False)[1:-1].replace("'", "\\'"),
            "parseJson": json.loads,
            "urlEncode": lambda text: quote_plus(str(text)),
            "urlDecode": lambda text: unquote_plus(str(text)),
            "base64Encode": lambda text: base64.b64encode(str(text).encode()).decode(),
            "base64Decode": lambda text: base64.b64decode(str(text)).decode("utf-8", "replace"),
        }


def json_path(document: Any, path: str) -> Any:
    """Return what a JSONPath expression (names, indexes and ``*``) leads to; ``UNDEFINED`` when there is nothing."""
    found = [document]
    is_many = False
    position = 1 if path.startswith("$") else 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return UNDEFINED
        position = step.end()
        if step[5]:
            is_many = True
            found = [item for value in found for item in (value.values() if isinstance(value, dict) else value)]
            continue
        key: Any = int(step[2]) if step[2] else step[1] or step[4]
        found = [value[key] for value in found if _has(value, key)]
        if not found:
            return [] if is_many else UNDEFINED
    return found if is_many else found[0]


def _has(value: Any, key: Any) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)
