"""A stand-in for `cryptography`, for the pages of the site only. It is NOT cryptography: it keeps no secret and proves nothing.

moto imports `cryptography` with nearly every service, and there is no build of it for the browser. Here every name of it can be
imported. What the mock AWS of a page needs works among itself: what KMS encrypts it can decrypt, what it signs it can verify, an
SNS message carries something in the place of a signature. Whatever else is called says that it does not work in a page.

No package is made of this folder for anybody to install; `coldstart.course.browser_packages` puts it beside Pyodide.
"""

import hashlib
import hmac
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types

__version__ = "0+stand.in"


class NotInThePage(NotImplementedError):
    """A part of `cryptography` that the stand-in does not have."""


class _Names(type):
    """Gives a class every constant that is asked for, such as `Encoding.PEM`, and refuses its functions."""

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}" if name[0].isupper() else _refusal(f"{cls.__name__}.{name}")

    def __or__(cls, other):
        return cls

    __ror__ = __or__


class _Parameter(metaclass=_Names):
    """Something that is only handed on: a hash, a padding, a mode, a name."""

    def __init__(self, *args, **kwargs):
        self.args = [*args, *kwargs.values()]


class _Key:
    """Both halves of a key pair. Its "signature" is a keyed hash, which only the same object can verify."""

    key_size = 2048

    def __init__(self):
        self._secret = os.urandom(32)

    def public_key(self):
        return self

    def sign(self, data, *_):
        return hmac.digest(self._secret, bytes(data), "sha256") * 8

    def verify(self, signature, data, *_):
        if not hmac.compare_digest(signature, self.sign(data)):
            raise _class("InvalidSignature")("Signature did not match")

    def public_bytes(self, *_, **__):
        return b"stand-in, no key: " + hashlib.sha256(self._secret).hexdigest().encode()

    private_bytes = public_bytes


class _Stream:
    """One direction of a `_Cipher`: a stream from a hash, with a keyed hash as its tag. Anybody who wants to can break it."""

    def __init__(self, key, nonce, expected):
        self._key, self._nonce, self._expected = bytes(key), bytes(nonce), expected
        self._about, self._sent, self._at, self.tag = b"", b"", 0, b""

    def authenticate_additional_data(self, data):
        self._about += data

    def update(self, data):
        stream = hashlib.shake_256(self._key + self._nonce).digest(self._at + len(data))[self._at :]
        self._at += len(data)
        out = bytes(left ^ right for left, right in zip(data, stream, strict=True))
        self._sent += out if self._expected is None else data
        return out

    def finalize(self):
        self.tag = hmac.digest(self._key, self._nonce + self._about + self._sent, "sha256")[:16]
        if self._expected is not None and not hmac.compare_digest(self.tag, self._expected):
            raise _class("InvalidTag")("The tag did not match")
        return b""


class _Cipher:
    def __init__(self, algorithm, mode, backend=None):
        self._key, self._mode = algorithm.args[0], mode.args

    def encryptor(self):
        return _Stream(self._key, self._mode[0], None)

    def decryptor(self):
        return _Stream(self._key, self._mode[0], self._mode[1])


class _CertificateBuilder:
    def __getattr__(self, name):
        return lambda *_, **__: self

    def sign(self, *_, **__):
        return _Key()


_classes = {"Cipher": _Cipher, "CertificateBuilder": _CertificateBuilder}
_functions = {
    "default_backend": lambda: None,
    "generate_private_key": lambda *_, **__: _Key(),
    "random_serial_number": lambda: int.from_bytes(os.urandom(16), "big"),
}


def _class(name):
    """The class of a name; errors are exceptions, everything else is only handed on."""
    if name not in _classes:
        error = name.startswith(("Invalid", "Unsupported")) or name.endswith(("Error", "Exception"))
        _classes[name] = type(name, (Exception,), {}) if error else _Names(name, (_Parameter,), {})
    return _classes[name]


def _refused(name):
    return f"{name} is a part of the package cryptography, which has no build for the browser. In the notebook it works: make lab"


def _refusal(name):
    def refuse(*_, **__):
        raise NotInThePage(_refused(name))

    return refuse


class _Module(types.ModuleType):
    """A module with every name in it. Whether a small one is a module or a function shows when it is called."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name[0].isupper():
            return _class(name)
        return _functions.get(name) or importlib.import_module(f"{self.__name__}.{name}")

    def __call__(self, *_, **__):
        raise NotInThePage(_refused(self.__name__))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module below `cryptography`."""

    def find_spec(self, name, path=None, target=None):
        if name.startswith(f"{__name__}."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        """Nothing is to be run: each name is made when it is asked for."""


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f"{__name__}.{name}")


sys.meta_path.insert(0, _Finder())
