"""Reading the nodes of a YAML file, and noting what is wrong with them by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from shared.errors import InvalidInput
from shared.yaml_text import did_you_mean, gathered

# PyYAML is imported where the file is read: it costs more than these modules.
if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node


class Stop(Exception):
    """Nothing more can be said about this node; what is wrong has been noted."""


class Nodes:
    """Takes nodes apart, noting everything that is wrong with them.

    Nodes are read, never the objects that YAML would make of them: nothing in the file is constructed, each
    node knows its line, and `+18005551212` or `09:00` stay the text that they are.

    Args:
        file: its name, for messages.
        top: what stands at the top of such a file, for messages about the whole of it.
        error: what is raised for all that is wrong.
    """

    def __init__(self, file: str, top: str, error: type[InvalidInput]) -> None:
        self._file = file
        self._top = top
        self._error = error
        self._problems: list[tuple[str, str, str]] = []

    def _mapping(self, node: Node, path: str, known: Sequence[str] | None) -> dict[str, Node]:
        import yaml

        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, path or self._top, "must be a mapping (key: value).")
        entries: dict[str, Node] = {}
        for key_node, value in pairs(node):
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._note_at(key_node, path or self._top, "a key must be a word.")
            elif key in entries:
                self._note_at(key_node, join(path, key), "stands twice.")
            elif known is not None and key not in known:
                hint = did_you_mean(key, known) or f"Known are {', '.join(known)}."
                self._note_at(key_node, join(path, key), "is not a known key.", hint)
            else:
                entries[key] = value
        return entries

    def _sequence(self, node: Node, path: str) -> list[Node]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, path, "must be a list.")
        if not node.value:
            self._wrong(node, path, "is empty.")
        return list(node.value)

    def _one_or_more(self, node: Node, path: str) -> list[tuple[Node, str]]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            return [(node, path)]
        return [(item, f"{path}[{index}]") for index, item in enumerate(self._sequence(node, path))]

    def _listed(self, node: Node, path: str) -> Iterator[tuple[Node, str, str]]:
        """The items of a list, or of a text with commas."""
        for item, item_path in self._one_or_more(node, path):
            for text in self._text(item, item_path).split(","):
                yield item, item_path, text.strip()

    def _text(self, node: Node, path: str) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node, path, "must be one value.")
        if node.tag == "tag:yaml.org,2002:null" or not node.value.strip():
            self._wrong(node, path, "is empty.")
        return str(node.value).strip()

    # problems

    def _note(self, line: int, path: str, problem: str, remedy: str = "") -> None:
        self._problems.append((f"{self._file}:{line}: {path}", problem, remedy))

    def _note_at(self, node: Node, path: str, problem: str, remedy: str = "") -> None:
        self._note(node.start_mark.line + 1, path, problem, remedy)

    def _wrong(self, node: Node, path: str, problem: str, remedy: str = "") -> NoReturn:
        self._note_at(node, path, problem, remedy)
        raise Stop

    def _raise_problems(self) -> None:
        if self._problems:
            raise gathered(self._problems, self._error)


def pairs(node: MappingNode) -> list[tuple[Node, Node]]:
    return list(node.value)


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
