"""Resources that CloudFormation's stacks make through our own APIs instead of moto's models.

moto (``moto/cloudformation/parsing.py``) reads templates, resolves references and goes through the resources; for the types
that are here it calls a :class:`ResourceKind`. Its module is loaded, and corrected, when CloudFormation is first used: it brings
half of moto with it.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.custom_resources import CustomResources
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.stack_deployments import StackDeployments
from coldstart.cloud.stack_updates import update_in_order
from coldstart.runtime.http_wire import HttpRequest


@dataclass
class Made:
    """A resource that was made: what ``Ref`` gives, and what ``Fn::GetAtt`` gives."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def is_true(value: Any) -> bool:
    """Say whether a template says true; a parameter makes a text of it."""
    return str(value).lower() == "true"


class ResourceKind(ABC):
    """How resources of one type are made, changed and deleted."""

    type: str
    """Such as ``AWS::Lambda::Alias``."""
    name_property: str = ""
    """The property that names the resource; without it CloudFormation makes a name from stack and logical id."""
    attributes: tuple[str, ...] = ()
    """What ``Fn::GetAtt`` knows."""

    def has_attribute(self, attribute: str) -> bool:
        """Say whether ``Fn::GetAtt`` may ask for it."""
        return attribute in self.attributes

    @abstractmethod
    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        """Make a resource.

        Raises:
            AwsError: the service refuses it.
        """

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        """Change a resource; when this is not defined, a new one takes its place and the old one is deleted."""
        new = self.create(region, name, properties)
        self.delete(region, made)
        return new

    @abstractmethod
    def delete(self, region: str, made: Made) -> None:
        """Delete a resource."""


class StackResources:
    """Stands before CloudFormation's API, and answers nothing: it only sees to it that our kinds are known."""

    def __init__(self, kinds: Iterable[ResourceKind], custom_resources: CustomResources) -> None:
        self._kinds = {kind.type: kind for kind in kinds}
        self._custom_resources = custom_resources
        self._moto = Replacements()
        self._is_attached = False

    def answer(self, request: HttpRequest, region: str) -> None:
        """Make our kinds known to moto when the first request to CloudFormation comes."""
        if not self._is_attached:
            self._is_attached = True
            self._attach()

    def stop(self) -> None:
        """Give moto its own way back."""
        self._moto.undo()

    def _can_make(self, resource_type: str) -> bool:
        from moto.cloudformation import parsing

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto warns of what it does not know; here it is refused
            return parsing.resource_class_from_type(resource_type) is not None

    def _attach(self) -> None:
        from moto.cloudformation import parsing

        StackDeployments(self._can_make).attach(self._moto)
        models = {name: _Model(kind) for name, kind in self._kinds.items()}

        def class_of(resource_type: str) -> Any:
            if self._custom_resources.is_type(resource_type):
                return self._custom_resources
            return models.get(resource_type) or motos_class(resource_type)

        def name_property(resource_type: str) -> str | None:
            kind = self._kinds.get(resource_type)
            return kind.name_property if kind else motos_property(resource_type)

        motos_class = self._moto.put(parsing, "resource_class_from_type", class_of)
        self._moto.put(parsing.ResourceMap, "update", update_in_order)
        motos_property = self._moto.put(parsing, "resource_name_property_from_type", name_property)


class _Model:
    """A kind as moto wants it: what are class methods of a model there are methods here."""

    def __init__(self, kind: ResourceKind) -> None:
        self._kind = kind

    def has_cfn_attr(self, attribute: str) -> bool:
        return self._kind.has_attribute(attribute)

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> _Resource:
        made = self._kind.create(region_name, resource_name, cloudformation_json["Properties"])
        return _Resource(self._kind, made, resource_name, cloudformation_json)

    def update_from_cloudformation_json(
        self,
        original_resource: _Resource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> _Resource:
        has_own_name = self._kind.name_property in cloudformation_json["Properties"]
        name = new_resource_name if has_own_name else original_resource.name  # moto makes a new one each time
        made = self._kind.update(region_name, original_resource.made, name, cloudformation_json["Properties"])
        return _Resource(self._kind, made, name, cloudformation_json)


class _Resource:
    """A resource as moto keeps it in a stack."""

    logical_resource_id: str
    cf_resource_type: str

    def __init__(self, kind: ResourceKind, made: Made, name: str, cloudformation_json: Mapping[str, Any]) -> None:
        self._kind = kind
        self.made = made
        self.name = name
        self._is_retained = cloudformation_json.get("DeletionPolicy") == "Retain"

    @property
    def physical_resource_id(self) -> str:
        return self.made.physical_id

    def get_cfn_attribute(self, attribute: str) -> str:
        if attribute not in self.made.attributes:
            from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

            raise UnformattedGetAttTemplateException
        return self.made.attributes[attribute]

    def is_created(self) -> bool:
        return True

    def delete(self, account_id: str, region: str) -> None:
        if not self._is_retained:
            self._kind.delete(region, self.made)
