"""A KMS key that is disabled, or waits to be deleted, does no more work; moto (kms/models.py) goes on using it.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html.
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import Key, KmsBackend

_USES = ("encrypt", "generate_data_key")


def apply() -> None:
    """Correct moto."""
    if getattr(KmsBackend.decrypt, "looks_at_the_key", False):
        return
    for name in _USES:
        setattr(KmsBackend, name, _of_usable_keys(getattr(KmsBackend, name)))
    KmsBackend.decrypt = _decrypt_with_usable_keys(KmsBackend.decrypt)


def _of_usable_keys(motos: Callable[..., Any]) -> Callable[..., Any]:
    def use(backend: KmsBackend, key_id: str, *arguments: Any, **named: Any) -> Any:
        key = backend.keys.get(backend.any_id_to_key_id(key_id))
        if key is not None:
            _check(key)
        return motos(backend, key_id, *arguments, **named)

    return use


def _decrypt_with_usable_keys(motos: Callable[..., Any]) -> Callable[..., Any]:
    def decrypt(backend: KmsBackend, ciphertext_blob: bytes, *arguments: Any, **named: Any) -> Any:
        key = backend.keys.get(ciphertext_blob[:36].decode("ascii", "ignore"))
        if key is not None:
            _check(key)
        return motos(backend, ciphertext_blob, *arguments, **named)

    vars(decrypt)["looks_at_the_key"] = True
    return decrypt


def _check(key: Key) -> None:
    if key.key_state == "Disabled":
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
