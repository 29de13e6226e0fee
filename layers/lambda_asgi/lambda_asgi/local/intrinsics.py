"""CloudFormation's intrinsic functions, as far as a template contains all that they need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .function import ACCOUNT

NO_VALUE = object()
"""What ``!Ref AWS::NoValue`` resolves to: the property that has it is left out."""

MAX_DEPTH = 50

_VARIABLE = re.compile(r"\$\{(!?)([^${}]{1,255})\}")


class TemplateError(ValueError):
    """A template cannot be read; the message has the place and the cause."""


class Resolver:
    """Resolves values of one template.

    Args:
        template: The parsed template.
        parameters: Values for its parameters; their defaults hold for others.
        region: The value of ``AWS::Region``.
    """

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], region: str
    ) -> None:
        self._mappings = template.get("Mappings") or {}
        self._conditions = template.get("Conditions") or {}
        self._references: dict[str, Any] = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": "local",
            "AWS::URLSuffix": "amazonaws.com",
            **_parameters(template.get("Parameters") or {}, parameters),
        }
        self._functions = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::Base64": self.resolve,
            "Fn::Equals": self._equals,
            "Fn::And": lambda value: all(self._all(value)),
            "Fn::Or": lambda value: any(self._all(value)),
            "Fn::Not": lambda value: not self._all(value)[0],
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._attribute,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }
        self._depth = 0

    def resolve(self, value: Any) -> Any:
        """A value without intrinsic functions.

        Raises:
            TemplateError: A function is unknown, malformed, or nested too deeply.
        """
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise TemplateError("intrinsic functions are nested too deeply, or in a circle")
            return self._resolve(value)
        finally:
            self._depth -= 1

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for found in self._all(value) if found is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name in self._functions:
                return self._call(name, argument)
            if str(name).startswith("Fn::"):
                raise TemplateError(f"{name} cannot be resolved on this machine")
        found = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in found.items() if each is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return self._functions[name](argument)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            if isinstance(error, TemplateError):
                raise
            raise TemplateError(f"{name} is malformed: {argument!r}") from None

    def _all(self, values: Any) -> list[Any]:
        return [self.resolve(value) for value in values]

    def _ref(self, name: str) -> Any:
        # A resource's reference is its name, as good a stand-in as any.
        return self._references.get(name, name)

    def _attribute(self, value: Any) -> str:
        name, _, attribute = (value if isinstance(value, str) else ".".join(value)).partition(".")
        return f"arn:aws:local:::{name}" if attribute == "Arn" else f"{name}.{attribute}"

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _equals(self, value: Any) -> bool:
        left, right = self._all(value)
        return str(left) == str(right)

    def _if(self, value: Any) -> Any:
        name, yes, no = value
        return self.resolve(yes if self._condition(name) else no)

    def _find_in_map(self, value: Any) -> Any:
        name, first, second = self._all(value)
        return self._mappings[name][str(first)][str(second)]

    def _join(self, value: Any) -> str:
        separator, parts = self._all(value)
        return str(separator).join(str(part) for part in parts)

    def _select(self, value: Any) -> Any:
        index, values = self._all(value)
        return values[int(index)]

    def _split(self, value: Any) -> list[str]:
        separator, text = self._all(value)
        return str(text).split(separator)

    def _sub(self, value: Any) -> str:
        text, variables = (value, {}) if isinstance(value, str) else value

        def replaced(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{match[2]}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            is_attribute = "." in name and name not in self._references
            return str(self._attribute(name) if is_attribute else self._ref(name))

        return _VARIABLE.sub(replaced, text)


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    found: dict[str, Any] = {}
    for name, about in declared.items():
        value = given.get(name, about.get("Default"))
        if value is None:
            raise TemplateError(f"the parameter {name} has no default: --parameter {name}=VALUE")
        is_list = "List" in str(about.get("Type"))
        found[name] = [part.strip() for part in str(value).split(",")] if is_list else value
    return found
