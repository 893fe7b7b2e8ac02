"""A lineage as a tree that can be read: each packet once, with what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster.stardust.says import shown

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from omniva_dagster.stardust.lineage import Lineage

_ALONE = 20
_LINES = 2_000


def print_tree(found: Lineage) -> None:
    """Print a lineage; a packet that leads there twice is written out the first time."""
    from rich.console import Console
    from rich.tree import Tree

    console = Console(soft_wrap=False)
    printer = _Printer(found)
    for start in found.starts:
        tree = Tree(printer.line(start))
        printer.grow(tree, start)
        console.print(tree)
    if found.alone:
        console.print("also about it:", style="dim")
    for one in found.alone[:_ALONE]:
        console.print("  ", printer.line(one), sep="")
    if len(found.alone) > _ALONE:
        console.print(f"   and {len(found.alone) - _ALONE} more", style="dim")
    if found.absent:
        count = len(found.absent)
        console.print(f"{count} parents are not in the ledger", style="yellow")
    if found.cut or printer.cut:
        console.print("there is more further away: see --depth, and --json for all", style="dim")


class _Printer:
    """Remembers what it wrote out."""

    def __init__(self, found: Lineage) -> None:
        self._found = found
        self._written: set[str] = set()
        self.cut = False

    def grow(self, tree: Tree, start: str) -> None:
        """Add all that is reached from there, without recursion: lineages may be long."""
        self._written.add(start)
        left = [(tree, start, one) for one in reversed(self._ordered(start))]
        while left:
            branch, _, one = left.pop()
            again = one in self._written
            grown = branch.add(self.line(one, again=again))
            if again:
                continue
            self._written.add(one)
            if len(self._written) > _LINES:
                self.cut = True
                return
            left += [(grown, one, further) for further in reversed(self._ordered(one))]

    def line(self, one: str, *, again: bool = False) -> Text:
        """A packet's line: type, id, partition, when, and what it says."""
        from rich.text import Text

        node = self._found.nodes.get(one)
        if node is None:
            missing = one in self._found.absent
            return Text(f"{one} {'not in the ledger' if missing else '…'}", style="yellow")
        if again:
            return Text(f"{shown(node.message_type)} {one[:8]} (above)", style="dim")
        line = Text()
        line.append(shown(node.message_type), style="bold")
        line.append(f" {one[:8]} ", style="cyan")
        about = f"about {node.subject_id[:8]}" if node.subject_id else ""
        where = [node.emitted_at, node.creator or "", node.day or "", about]
        line.append(shown(" ".join(filter(None, where))), style="dim")
        line.append(f"\n{self._found.says.get(one, '')}")
        return line

    def _ordered(self, one: str) -> list[str]:
        """The nearest first: what is reached through others too is then written out there."""
        nodes, sign = self._found.nodes, -1 if self._found.up else 1
        return sorted(
            self._found.steps.get(one, ()),
            key=lambda step: (sign * nodes[step].leaf_index if step in nodes else 0, step),
        )
