"""What the local Lambda knows of functions: their versions, aliases and everything that is configured about them.

A published version never changes and its number is never given out again, also after it is deleted
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html). The methods here keep the store whole; what a
request may ask for is checked before, in :mod:`coldstart.cloud.lambda_functions` and its neighbours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST, FunctionReference, function_arn, is_version
from coldstart.runtime.clock import Clock
from coldstart.runtime.function_package import code_sha256
from coldstart.runtime.identifiers import Identifiers


@dataclass(frozen=True, eq=False)
class Code:
    """A deployment package."""

    zipped: bytes
    sha256: str
    """``CodeSha256``."""
    source: Mapping[str, str] = field(default_factory=dict)
    """What else GetFunction tells about it, such as ``SourceKMSKeyArn``."""

    @classmethod
    def of(cls, zipped: bytes, **source: str) -> Code:
        """Return the package with its hash."""
        return cls(zipped, code_sha256(zipped), source)


@dataclass(frozen=True)
class Progress:
    """A state that a function or its last update is in, with AWS's reason and reason code."""

    state: str
    reason: str = ""
    code: str = ""


ACTIVE = Progress("Active")
PENDING = Progress("Pending", "The function is being created.", "Creating")
SUCCESSFUL = Progress("Successful")
IN_PROGRESS = Progress("InProgress", "The function is being created.", "Creating")


@dataclass(eq=False)
class FunctionVersion:
    """``$LATEST`` or a published version: settings and code, which never change.

    An update of ``$LATEST`` puts another one in its place. Only what the service itself notes about it changes here.
    """

    function: StoredFunction
    version: str
    """``$LATEST`` or the number."""
    settings: Mapping[str, Any]
    """What is configured, complete with defaults, under the names of FunctionConfiguration."""
    code: Code
    last_modified: str
    revision_id: str
    state: Progress = ACTIVE
    last_update: Progress | None = None
    published_from: Mapping[str, Any] | None = None
    """The settings that ``$LATEST`` had when this version was published."""
    is_replaced: bool = False
    """Whether it was updated or deleted, and nobody can invoke it any more."""

    @property
    def arn(self) -> str:
        """The ARN: unqualified for ``$LATEST``."""
        return self.function.arn if self.version == LATEST else f"{self.function.arn}:{self.version}"


@dataclass(eq=False)
class Alias:
    """A name for a version, and perhaps for a second one that takes part of the invocations."""

    name: str
    version: str
    description: str
    weights: Mapping[str, float]
    """Of invocations, by additional version: the others go to :attr:`version`."""
    revision_id: str


@dataclass(eq=False)
class StoredFunction:
    """A function with all that belongs to it. A function that is deleted and created again is another one."""

    name: str
    region: str
    arn: str
    latest: FunctionVersion = field(init=False)
    published: dict[str, FunctionVersion] = field(default_factory=dict)
    """By number, the oldest first."""
    next_number: int = 1
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Statements of the resource policies, by qualifier (empty for the function)."""
    provisioned: dict[str, str] = field(default_factory=dict)
    """The version whose environments are provisioned, by the version or alias that it was asked for."""
    runtime_updates: dict[str, dict[str, str]] = field(default_factory=dict)
    """RuntimeManagementConfig by version."""
    recursive_loop: str = "Terminate"
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_updating: bool = False

    @property
    def versions(self) -> list[FunctionVersion]:
        """``$LATEST``, then the published versions."""
        return [self.latest, *self.published.values()]

    def version(self, number: str) -> FunctionVersion | None:
        """Return ``$LATEST`` (also when empty) or a published version."""
        return self.latest if number in ("", LATEST) else self.published.get(number)

    @contextmanager
    def updating(self) -> Iterator[None]:
        """Let one update of code or configuration happen at a time, as Lambda does.

        Raises:
            AwsError: another one is in progress (ResourceConflictException).
        """
        with self.lock:
            if self.is_updating:
                raise AwsError(
                    409,
                    "ResourceConflictException",
                    "The operation cannot be performed at this time. An update is in progress for resource: "
                    + self.arn,
                )
            self.is_updating = True
        try:
            yield
        finally:
            self.is_updating = False


class LambdaStore:
    """The functions of one account, by region and name.

    Args:
        account_id: whose they are.
        clock: the cloud's time.
        identifiers: where revision ids come from. They are not drawn from the cloud's: how often a notebook asks for a state
            must not change the request ids that it shows.
    """

    def __init__(self, account_id: str, clock: Clock, identifiers: Identifiers) -> None:
        self.account_id = account_id
        self._clock = clock
        self._identifiers = identifiers
        self._regions: dict[str, dict[str, StoredFunction]] = {}
        self._lock = threading.Lock()
        self.on_created: list[Callable[[StoredFunction], object]] = []
        """Called with each function that was created."""
        self.on_replaced: list[Callable[[FunctionVersion], object]] = []
        """Called with each version that is no longer invoked, because it was updated or deleted."""
        self.on_deleted: list[Callable[[StoredFunction], object]] = []
        """Called with each function that was deleted."""

    def regions(self) -> list[str]:
        """Return the regions that have, or had, functions."""
        return list(self._regions)

    def functions(self, region: str) -> list[StoredFunction]:
        """Return the functions of a region, the oldest first."""
        return list(self._regions.get(region, {}).values())

    def new_revision(self) -> str:
        """Return a RevisionId."""
        return self._identifiers.uuid()

    def timestamp(self) -> str:
        """Return the time now as Lambda writes it: ``2026-11-23T10:00:00.000+0000``."""
        now = self._clock.now()
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}+0000"

    def find(self, reference: FunctionReference) -> StoredFunction | None:
        """Return a function, whatever the qualifier."""
        return self._regions.get(reference.region, {}).get(reference.name)

    def function(self, reference: FunctionReference) -> StoredFunction:
        """Return a function, whatever the qualifier.

        Raises:
            AwsError: there is none (ResourceNotFoundException).
        """
        function = self.find(reference)
        if function is None:
            raise self.not_found(reference)
        return function

    def version(self, reference: FunctionReference) -> FunctionVersion:
        """Return the version that a reference means; for an alias its main one.

        Raises:
            AwsError: there is none (ResourceNotFoundException).
        """
        function = self.function(reference)
        alias = function.aliases.get(reference.qualifier)
        version = function.version(alias.version if alias else reference.qualifier)
        if version is None:
            raise self.not_found(reference)
        return version

    def chosen_version(self, reference: FunctionReference, fraction: Callable[[], float]) -> FunctionVersion:
        """Return the version that runs an invocation; an alias with weights chooses between two.

        Args:
            fraction: draws a number in [0, 1).

        Raises:
            AwsError: there is none (ResourceNotFoundException).
        """
        function = self.function(reference)
        alias = function.aliases.get(reference.qualifier)
        if alias is not None and alias.weights:
            drawn = fraction()
            for number, weight in alias.weights.items():
                version = function.published.get(number)
                if drawn < weight and version is not None:
                    return version
                drawn -= weight
        return self.version(reference)

    def require_qualifier(self, reference: FunctionReference) -> StoredFunction:
        """Return the function, if the version or alias of the reference is there.

        Raises:
            AwsError: it is not (ResourceNotFoundException).
        """
        function = self.function(reference)
        qualifier = reference.qualifier
        if qualifier and qualifier not in function.aliases and function.version(qualifier) is None:
            if is_version(qualifier) or qualifier == LATEST:
                raise self.not_found(reference)
            raise AwsError(404, "ResourceNotFoundException", f"Cannot find alias arn: {reference.arn(self.account_id)}")
        return function

    def not_found(self, reference: FunctionReference) -> AwsError:
        """Return the error for a function or version that is not there."""
        return AwsError(404, "ResourceNotFoundException", f"Function not found: {reference.arn(self.account_id)}")

    def add(self, name: str, region: str, settings: Mapping[str, Any], code: Code) -> StoredFunction:
        """Create a function with its ``$LATEST``.

        Raises:
            AwsError: the name is taken (ResourceConflictException).
        """
        function = StoredFunction(name, region, function_arn(region, self.account_id, name))
        function.latest = FunctionVersion(
            function, LATEST, settings, code, self.timestamp(), self.new_revision(), last_update=SUCCESSFUL
        )
        with self._lock:
            functions = self._regions.setdefault(region, {})
            if name in functions:
                raise AwsError(409, "ResourceConflictException", f"Function already exist: {name}")
            functions[name] = function
        self._tell(self.on_created, function)
        return function

    def update(
        self, function: StoredFunction, settings: Mapping[str, Any] | None = None, code: Code | None = None
    ) -> FunctionVersion:
        """Put a new ``$LATEST`` in place of the one that is there, and return it."""
        with function.lock:
            replaced = function.latest
            function.latest = FunctionVersion(
                function,
                LATEST,
                replaced.settings if settings is None else settings,
                replaced.code if code is None else code,
                self.timestamp(),
                self.new_revision(),
                last_update=SUCCESSFUL,
            )
        self._tell(self.on_replaced, replaced)
        return function.latest

    def publish(
        self, function: StoredFunction, description: str | None, state: Progress = ACTIVE
    ) -> tuple[FunctionVersion, bool]:
        """Make a version of ``$LATEST`` as it is; return it and whether it is new.

        Nothing new is made when code and configuration have not changed since the last version.
        """
        with function.lock:
            latest = function.latest
            last = function.published.get(str(function.next_number - 1))
            if last is not None and last.code.sha256 == latest.code.sha256 and last.published_from == latest.settings:
                return last, False
            number = str(function.next_number)
            function.next_number += 1
            settings = latest.settings if description is None else {**latest.settings, "Description": description}
            version = FunctionVersion(
                function,
                number,
                settings,
                latest.code,
                latest.last_modified,
                self.new_revision(),
                state,
                published_from=latest.settings,
            )
            function.published[number] = version
            latest.revision_id = self.new_revision()
            return version, True

    def delete_version(self, function: StoredFunction, number: str) -> None:
        """Forget a published version; its number is not used again. Nothing happens when there is none."""
        with function.lock:
            version = function.published.pop(number, None)
            function.policies.pop(number, None)
            function.provisioned = {name: used for name, used in function.provisioned.items() if used != number}
        if version is not None:
            self._tell(self.on_replaced, version)

    def delete(self, function: StoredFunction) -> None:
        """Forget a function with all that belongs to it."""
        with self._lock:
            functions = self._regions.get(function.region, {})
            if functions.get(function.name) is not function:
                return
            del functions[function.name]
        for version in function.versions:
            self._tell(self.on_replaced, version)
        self._tell(self.on_deleted, function)

    def _tell(self, listeners: list[Callable[[Any], object]], what: object) -> None:
        for listener in listeners:
            listener(what)
