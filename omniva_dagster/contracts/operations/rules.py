"""Rules between fields, declared once for both judges: the model and its JSON Schema.

A class of `Ruled` lists its rules in ``RULES``; each rule finds the faults of a document and says
itself in the words of JSON Schema. What JSON Schema cannot say is a validator that uses `Faults`;
its message holds "must agree with".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from omniva_dagster.contracts.base import Document


class Faults:
    """The faults of a document that are found after its fields, each at the field it is about."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[InitErrorDetails] = []

    def missing(self, *location: str | int) -> None:
        """A field that this document would need."""
        self._found.append(
            InitErrorDetails(type="missing", loc=location, input=self._document.__dict__)
        )

    def wrong(self, message: str, *location: str | int) -> None:
        """A value that does not go with the others."""
        # Braces are a template of pydantic's: the words are passed as they are.
        error = PydanticCustomError("rule", "{words}", {"words": message})
        self._found.append(InitErrorDetails(type=error, loc=location, input=self._at(location)))

    def raise_if_any(self) -> None:
        """`ValidationError` with all of them; pydantic puts the document's own place before."""
        if self._found:
            raise ValidationError.from_exception_data(type(self._document).__name__, self._found)

    def _at(self, location: tuple[str | int, ...]) -> Any:
        value: Any = self._document.model_dump(mode="json", exclude_none=True)
        for part in location:
            value = value[part]
        return value


class Rule(Protocol):
    """What one rule says in both languages."""

    def check(self, document: Document, faults: Faults) -> None:
        """Adds the faults of a document whose fields are valid one by one."""

    def schema(self) -> JsonSchemaValue:
        """The same rule as a schema that every document must meet."""


@dataclass(frozen=True)
class When:
    """When ``name`` has one of ``values``, what the other fields must be."""

    name: str
    values: tuple[str, ...]
    required: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    fixed: Mapping[str, bool] = field(default_factory=dict)
    at_least: Mapping[str, int] = field(default_factory=dict)

    def check(self, document: Document, faults: Faults) -> None:
        """Adds the faults of a document whose fields are valid one by one."""
        if getattr(document, self.name) not in self.values:
            return
        because = f"when {self.name} is {_either(self.values)}"
        for name in self.required:
            if getattr(document, name) is None:
                faults.missing(name)
        for name in self.absent:
            if getattr(document, name) is not None:
                faults.wrong(f"must be left out {because}", name)
        for name, value in self.fixed.items():
            if getattr(document, name) is not value:
                faults.wrong(f"must be {str(value).lower()} {because}", name)
        for name, least in self.at_least.items():
            if len(getattr(document, name)) < least:
                faults.wrong(f"must hold at least {least} {_items(least)} {because}", name)

    def schema(self) -> JsonSchemaValue:
        """``if`` the field has such a value ``then`` what must be so."""
        then: JsonSchemaValue = {}
        properties: JsonSchemaValue = {name: {"const": value} for name, value in self.fixed.items()}
        properties |= {name: {"minItems": least} for name, least in self.at_least.items()}
        properties |= {name: {"not": {}} for name in self.absent}
        if properties:
            then["properties"] = properties
        if self.required:
            then["required"] = list(self.required)
        having = {"properties": {self.name: {"enum": list(self.values)}}, "required": [self.name]}
        return {"if": having, "then": then}


@dataclass(frozen=True)
class ExactlyOne:
    """One of these fields must be there, and no other of them."""

    names: tuple[str, ...]

    def check(self, document: Document, faults: Faults) -> None:
        """Adds the faults of a document whose fields are valid one by one."""
        given = [name for name in self.names if getattr(document, name) is not None]
        if len(given) != 1:
            faults.wrong(f"must have exactly one of {' and '.join(self.names)}")

    def schema(self) -> JsonSchemaValue:
        """``oneOf`` the fields required."""
        return {"oneOf": [{"required": [name]} for name in self.names]}


class Ruled(Document):
    """A document with rules between its fields."""

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        faults = Faults(self)
        for rule in self.RULES:
            rule.check(self, faults)
        self.agree(faults)
        faults.raise_if_any()
        return self

    def agree(self, faults: Faults) -> None:
        """Adds what JSON Schema has no words for; each message holds "must agree with"."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The generated schema with the rules beside it."""
        generated = handler(schema)
        if cls.RULES:
            handler.resolve_ref_schema(generated)["allOf"] = [rule.schema() for rule in cls.RULES]
        return generated


@dataclass(frozen=True)
class Among:
    """Only these members of an enum, as metadata of a type."""

    members: tuple[StrEnum, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The enum's own validation, then this."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The enum with fewer members."""
        return {**handler(schema), "enum": [str(member) for member in self.members]}

    def _checked(self, value: StrEnum) -> StrEnum:
        if value not in self.members:
            raise ValueError(f"must be {'one of ' * (len(self.members) > 1)}{self._names()}")
        return value

    def _names(self) -> str:
        return _either(tuple(str(member) for member in self.members))


@dataclass(frozen=True)
class Spelled:
    """A text of one form, as metadata of a type; ``words`` is what a sender reads otherwise.

    ``pattern`` is anchored and of plain ASCII classes, so that every reader's engine agrees.
    """

    pattern: str
    words: str
    longest: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Text, then its form."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The pattern and the length."""
        return {**handler(schema), "pattern": self.pattern, "maxLength": self.longest}

    def _checked(self, text: str) -> str:
        if len(text) > self.longest or not re.fullmatch(self.pattern[1:-1], text):
            raise ValueError(self.words)
        return text


def _either(names: tuple[str, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _items(count: int) -> str:
    return "item" if count == 1 else "items"
