"""YAML as people write it, read as strictly as JSON: no key twice, no alias, no tag. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.errors import Fault, fault, pointer

if TYPE_CHECKING:
    import yaml

_DEEPEST = 8
_NULL = "tag:yaml.org,2002:null"
Location = tuple[str | int, ...]


def parsed(raw: bytes) -> tuple[dict[str, Any], dict[str, int], list[Fault]]:
    """The mapping in a YAML text (without what has no value), the line of each of its values by
    JSON Pointer, and why it can't be taken (empty when it can; of the whole, or of fields)."""
    import yaml

    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return {}, {}, [fault((), f"is not UTF-8: byte {error.start} starts no character")]
    reader = _Reader()
    try:
        _refuse_tricks(text)
        node = yaml.compose(text, yaml.SafeLoader)
        if node is None:
            return {}, {}, []
        if not isinstance(node, yaml.MappingNode):
            return {}, {}, [fault((), "must be a mapping of fields, like 'title_card: true'")]
        value = reader.read(node, ())
    except (yaml.YAMLError, ValueError) as error:
        return {}, {}, [_not_yaml(error)]
    return value, reader.lines, reader.faults


def _refuse_tricks(text: str) -> None:
    """`ValueError` for what costs a reader far more than its writer, before anything is built."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it uses an alias (*name): write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")


def _not_yaml(error: Exception) -> Fault:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    found = fault((), f"is not YAML: {' '.join(what.split())}")
    return {**found, "line": mark.line + 1} if mark else found


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []
        self._seen: set[Location] = set()

    def read(self, node: yaml.Node, location: Location) -> Any:
        import yaml

        self.lines[pointer(location)] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*location, n)) for n, item in enumerate(node.value)]
        if node.tag == _NULL:
            self.faults.append(
                fault(
                    location,
                    'has no value: leave the line out, and write colours in quotes, like "#FFD93D"',
                )
            )
            return None
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        import yaml

        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {key.start_mark.line + 1} has a list or mapping as a key")
            name = str(key.value)
            here = (*location, name)
            if here in self._seen:
                self.faults.append(
                    {**fault(here, "is there more than once"), "line": key.start_mark.line + 1}
                )
            self._seen.add(here)
            read = self.read(value, here)
            if read is not None:
                found[name] = read
            self.lines[pointer(here)] = key.start_mark.line + 1
        return found

    @staticmethod
    def _scalar(node: yaml.ScalarNode) -> Any:
        """Text, number or truth value; a date is the text it was written as.

        What a tag calls a number (``!!int "[1]"``) is text: read again, it could be anything. So is
        a number with a zero before it, which YAML 1.1 counts in eights.
        """
        import yaml

        kind = node.tag.rpartition(":")[2]
        plain = node.style is None and not re.match(r"[-+]?0[0-9]", node.value)
        if kind in {"int", "float", "bool"} and plain:
            return yaml.safe_load(node.value)
        return node.value
