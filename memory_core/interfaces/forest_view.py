"""The semantic forest shown: as a tree in a terminal, as nested JSON, as GraphML."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memory_core.errors import InvalidQuery
from memory_core.interfaces.console import printable
from memory_core.types import ForestNode, Json

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

LINES = 60
"""About what a person scrolls through; without a depth, the tree is cut where it grows longer."""
WORDS = 300

_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_ATTRIBUTES = {
    "level": "int", "text": "string", "count": "int", "kind": "string",
    "low_x": "double", "low_y": "double", "low_z": "double",
    "high_x": "double", "high_y": "double", "high_z": "double",
    "start_ns": "long", "end_ns": "long",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes by id, and those at the top of what is shown."""

    nodes: dict[str, ForestNode]
    roots: tuple[ForestNode, ...]

    @classmethod
    def of(cls, nodes: Sequence[ForestNode], *, start: str | None = None) -> Forest:
        """The whole forest, or what is at and below one node.

        Args:
            nodes: As `RobotMemory.forest` returns them.
            start: Id of the node to start from; None for all roots.

        Raises:
            InvalidQuery: There is no node of that id.
        """
        known = {node.id: node for node in nodes}
        if start is None:
            return cls(known, tuple(node for node in nodes if node.parent is None))
        if start not in known:
            raise InvalidQuery(
                f"the forest has no node {start!r}; expected an id as the tree shows it, "
                "for example forest:3 or place:0"
            )
        return cls(known, (known[start],))

    def children(self, node: ForestNode) -> list[ForestNode]:
        """The nodes right below one."""
        return [self.nodes[child] for child in node.children]

    def shown(self) -> Iterator[ForestNode]:
        """All nodes at and below the top, each before what is below it."""
        waiting = list(reversed(self.roots))
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(self.children(node))

    def depth_within(self, lines: int) -> int:
        """How many levels below the top fit into so many lines; at least one."""
        depth, used, front = 0, len(self.roots), list(self.roots)
        while front := [child for node in front for child in self.children(node)]:
            used += len(front)
            if depth and used > lines:
                break
            depth += 1
        return max(1, depth)

    def to_json(self, *, depth: int | None = None) -> Json:
        """The object that `forest --json` prints.

        Args:
            depth: Levels below the top; None for all, down to the leaves.
        """
        return {"roots": [self._told(node, depth) for node in self.roots]}

    def _told(self, node: ForestNode, depth: int | None) -> Json:
        below = None if depth is None else depth - 1
        children = self.children(node) if depth is None or depth > 0 else []
        return {
            "id": node.id,
            "level": node.level,
            "text": node.text,
            "count": node.count,
            "children": [self._told(child, below) for child in children],
        }


def draw_tree(forest: Forest, *, depth: int) -> list[Tree]:
    """One tree for each root, a line a node.

    Args:
        forest: What is shown.
        depth: Levels below the top.
    """
    from rich.tree import Tree

    def grow(node: ForestNode, branch: Tree, left: int) -> None:
        if not left:
            return
        for child in forest.children(node):
            grow(child, branch.add(_line(child, cut=left == 1)), left - 1)

    drawn = []
    for root in forest.roots:
        tree = Tree(_line(root, cut=depth == 0), guide_style="dim")
        grow(root, tree, depth)
        drawn.append(tree)
    return drawn


def _line(node: ForestNode, *, cut: bool) -> Text:
    """What a node is, in one line; the end of a long text is cut, its id never."""
    from rich.text import Text

    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(node.id, style="bold" if node.level else "green")
    if node.level:
        more = " …" if cut else ""
        line.append(f"  {standing(node)}{more}", style="cyan")
    if node.kind:
        line.append(f"  {printable(node.kind)}", style="magenta")
    line.append("  " + printable(" ".join(node.text.split()))[:WORDS])
    return line


def places_counted(count: int) -> str:
    """A number of places, in words."""
    return f"{count:,} place{'' if count == 1 else 's'}"


def standing(node: ForestNode) -> str:
    """A node's level, and how many places are below it where its text does not say so."""
    counted = places_counted(node.count)
    return f"level {node.level}" + ("" if counted in node.text else f", {counted}")


def summary_line(forest: Forest) -> str:
    """How much there is, in one line."""
    nodes = list(forest.shown())
    leaves = sum(not node.children for node in nodes)
    deepest = max((node.level for node in forest.roots), default=0)
    trees = f"{len(forest.roots)} tree{'' if len(forest.roots) == 1 else 's'}"
    return f"{trees}, {places_counted(leaves)}, {len(nodes):,} nodes in {deepest + 1} levels"


def write_graphml(path: Path, forest: Forest) -> int:
    """Write nodes and edges as GraphML (Brandes et al. 2002), from parent to child.

    Args:
        path: The file.
        forest: What is written.

    Returns:
        How many nodes were written.
    """
    ElementTree.register_namespace("", _GRAPHML)
    document = ElementTree.Element(f"{{{_GRAPHML}}}graphml")
    for name, kind in _ATTRIBUTES.items():
        declared = {"id": name, "for": "node", "attr.name": name, "attr.type": kind}
        ElementTree.SubElement(document, f"{{{_GRAPHML}}}key", declared)
    graph = ElementTree.SubElement(
        document, f"{{{_GRAPHML}}}graph", {"id": "forest", "edgedefault": "directed"}
    )
    nodes = list(forest.shown())
    for node in nodes:
        element = ElementTree.SubElement(graph, f"{{{_GRAPHML}}}node", {"id": xml_text(node.id)})
        for name, value in _attributes(node).items():
            data = ElementTree.SubElement(element, f"{{{_GRAPHML}}}data", {"key": name})
            data.text = xml_text(str(value))
    for node in nodes:
        for child in node.children:
            ends = {"source": xml_text(node.id), "target": xml_text(child)}
            ElementTree.SubElement(graph, f"{{{_GRAPHML}}}edge", ends)
    ElementTree.indent(document)
    ElementTree.ElementTree(document).write(path, encoding="utf-8", xml_declaration=True)
    return len(nodes)


def _attributes(node: ForestNode) -> dict[str, object]:
    """What is known of a node; what is not known is left out."""
    found: dict[str, object] = {
        "level": node.level, "text": node.text, "count": node.count, "kind": node.kind,
        "start_ns": node.span.start_ns, "end_ns": node.span.end_ns,
    }  # fmt: skip
    for end, corner in (("low", node.bounds.low), ("high", node.bounds.high)):
        found |= {f"{end}_{axis}": value for axis, value in zip("xyz", corner, strict=True)}
    return {name: value for name, value in found.items() if value is not None}


def xml_text(text: str) -> str:
    """Text without the characters that XML 1.0 does not allow."""
    return "".join(
        c if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        else "\ufffd"
        for c in text
    )  # fmt: skip
