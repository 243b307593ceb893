"""A node of the growing forest, the row it is stored as, and how alike nodes are.

What a parent knows is computed from its children in the order of their numbers, never added to
or subtracted from: removal leaves no drift, and a forest read back equals the one written.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from memory_core.errors import (
    DimensionMismatch,
    InvalidPose,
    InvalidStamp,
    InvalidVector,
    MemoryDamaged,
)
from memory_core.semantic.forest.reference import MEANING, SCALE_M, SPACE
from memory_core.types import FloatArray, IntArray, Vector3


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a place brings to the forest.

    Attributes:
        payload: Its id, unique in the forest.
        vector: Of its text, unit length, shape (d,).
        position: Metres.
        low: Lower corner of its bounds, metres; None for a point.
        high: Upper corner.
        first_ns: First stamp.
        last_ns: Last stamp.
        text: What is there, in words.
    """

    payload: str
    vector: FloatArray
    position: Vector3
    low: Vector3 | None = None
    high: Vector3 | None = None
    first_ns: int = 0
    last_ns: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A node as it is stored.

    Attributes:
        number: Never used again.
        level: 0 for leaves.
        parent: None at a root.
        tree: Key of its tree.
        payload: Of a leaf its place's id, else "".
        count: Leaves below it.
        position: Mean of its leaves', metres.
        spread: Mean squared distance of its leaves from there, square metres.
        low: Lower corner of the bounds of all below it, metres.
        high: Upper corner.
        first_ns: First stamp of all below it.
        last_ns: Last stamp.
        total: Sum of its leaves' vectors, float32, little-endian.
        text: What is below it, in words, as it was last told.
        text_stale: Whether something below changed since.
        terms: In how many of its leaves each term is, JSON; "" where not counted since a change.
        pending: Whether it waits to be re-balanced.
    """

    number: int
    level: int
    parent: int | None
    tree: str
    payload: str
    count: int
    position: Vector3
    spread: float
    low: Vector3
    high: Vector3
    first_ns: int
    last_ns: int
    total: bytes
    text: str
    text_stale: bool
    terms: str
    pending: bool


class Node:
    """A node in memory; `children` are kept in the order of their numbers."""

    __slots__ = (
        "children", "count", "first_ns", "high", "last_ns", "level", "low", "number", "parent",
        "payload", "position", "spread", "terms", "text", "text_stale", "total", "tree",
    )  # fmt: skip

    def __init__(self, number: int, level: int, tree: str) -> None:
        """An empty node; `refresh` or `become` makes it whole."""
        self.number = number
        self.level = level
        self.tree = tree
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.payload = ""
        self.count = 0
        self.position: Vector3 = (0.0, 0.0, 0.0)
        self.spread = 0.0
        self.low: Vector3 = self.position
        self.high: Vector3 = self.position
        self.first_ns = self.last_ns = 0
        self.total: FloatArray = np.empty(0, np.float32)
        self.text = ""
        self.text_stale = True
        self.terms: Counter[str] | None = None

    def become(self, leaf: Leaf) -> None:
        """Take a place's values."""
        self.payload, self.count = leaf.payload, 1
        x, y, z = map(float, leaf.position)
        self.position, self.spread = (x, y, z), 0.0
        self.low = self.position if leaf.low is None else _vector3(leaf.low)
        self.high = self.position if leaf.high is None else _vector3(leaf.high)
        self.first_ns, self.last_ns = int(leaf.first_ns), int(leaf.last_ns)
        self.total = np.array(leaf.vector, np.float32)
        self.text, self.text_stale = leaf.text, False

    def refresh(self) -> None:
        """Compute everything from the children; the text is told anew when it is looked at."""
        kids = self.children
        self.count = count = sum(kid.count for kid in kids)
        x, y, z = (
            math.fsum(kid.count * kid.position[axis] for kid in kids) / count for axis in range(3)
        )
        self.position = (x, y, z)
        self.spread = (
            math.fsum(
                kid.count * (kid.spread + squared_distance(kid.position, self.position))
                for kid in kids
            )
            / count
        )
        lows, highs = zip(*((kid.low, kid.high) for kid in kids), strict=True)
        self.low = _vector3([min(axis) for axis in zip(*lows, strict=True)])
        self.high = _vector3([max(axis) for axis in zip(*highs, strict=True)])
        self.first_ns = min(kid.first_ns for kid in kids)
        self.last_ns = max(kid.last_ns for kid in kids)
        total = kids[0].total.copy()
        for kid in kids[1:]:
            total += kid.total
        self.total = total
        self.text_stale, self.terms = True, None

    def adopt(self, child: Node) -> None:
        """Take a child in, in the order of numbers."""
        at = len(self.children)
        while at and self.children[at - 1].number > child.number:
            at -= 1
        self.children.insert(at, child)
        child.parent = self


def _vector3(values: Sequence[float]) -> Vector3:
    x, y, z = map(float, values)
    return (x, y, z)


def squared_distance(one: Vector3, other: Vector3) -> float:
    """Of two points, square metres."""
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def likeness(node: Node, others: Sequence[Node]) -> FloatArray:
    """Mean similarity of a node's leaves to those of each other node, shape (len(others),).

    The cosine part is exact; the mean of exp(-distance / 10 m) is taken at the root mean square
    distance, which the two centres and spreads give.
    """
    counts = np.array([other.count for other in others])
    cosine = np.array([node.total.dot(other.total) for other in others]) / (counts * node.count)
    far = [
        math.sqrt(squared_distance(node.position, other.position) + node.spread + other.spread)
        for other in others
    ]
    return np.asarray(MEANING * cosine + SPACE * np.exp(np.array(far) / -SCALE_M))


def weights_between(nodes: Sequence[Node]) -> tuple[FloatArray, IntArray]:
    """Summed similarity of the pairs of leaves between any two nodes, 0 with itself.

    Returns:
        Shape (n, n), and the nodes' counts, shape (n,).
    """
    counts = np.array([node.count for node in nodes])
    totals = np.stack([node.total for node in nodes]).astype(np.float64)
    points = np.array([node.position for node in nodes])
    spreads = np.array([node.spread for node in nodes])
    gaps = points[:, None] - points[None]
    far = np.sqrt((gaps**2).sum(axis=2) + spreads[:, None] + spreads[None])
    weights = MEANING * (totals @ totals.T) + SPACE * np.outer(counts, counts) * np.exp(
        far / -SCALE_M
    )
    np.fill_diagonal(weights, 0)
    return weights, counts


def upwards(node: Node | None) -> Iterator[Node]:
    """A node and all above it."""
    while node is not None:
        yield node
        node = node.parent


def move_gain(node: Node, target: Node) -> float:
    """By how much Dasgupta's cost falls if a node becomes a child of another, in O(log n).

    A node's part of the cost is its count times the similarity across its children; only the
    nodes above the old and the new place, up to where the two meet, change theirs.

    Args:
        node: With a parent.
        target: Another node of the same tree, at the level of the node's parent.
    """
    old, new = list(upwards(node)), list(upwards(target))
    meeting = next(number for number, above in enumerate(new) if above is old[number + 1])
    left, entered = old[: meeting + 1], new[:meeting]
    top, own = old[meeting + 1], _tie(node, node)
    gain = 0.0
    for below, above in pairwise(left):
        lost = _tie(node, above) - _tie(node, below)
        across = _across(above)
        gain += above.count * across - (above.count - node.count) * (across - lost)
    within = 0.0
    for above in entered:
        won = _tie(node, above) - within
        across = _across(above)
        gain -= (above.count + node.count) * (across + won) - above.count * across
        within += won
    # the pairs that met at the top and no longer do, less those that do now
    return gain + top.count * (within + own - _tie(node, left[-1]))


def _tie(node: Node, other: Node) -> float:
    """Summed similarity between the leaves of two nodes."""
    return float(likeness(node, [other])[0]) * node.count * other.count


def _across(node: Node) -> float:
    """Summed similarity of the pairs of leaves that meet in a node."""
    return float(weights_between(node.children)[0].sum()) / 2


def row_of(node: Node, *, pending: bool) -> ForestRow:
    """A node as it is stored."""
    return ForestRow(
        number=node.number,
        level=node.level,
        parent=None if node.parent is None else node.parent.number,
        tree=node.tree,
        payload=node.payload,
        count=node.count,
        position=node.position,
        spread=node.spread,
        low=node.low,
        high=node.high,
        first_ns=node.first_ns,
        last_ns=node.last_ns,
        total=node.total.astype("<f4").tobytes(),
        text="" if node.text_stale else node.text,
        text_stale=node.text_stale,
        terms=json.dumps(node.terms, ensure_ascii=False) if node.terms else "",
        pending=pending,
    )


def node_of(row: ForestRow) -> Node:
    """A stored node, without parent and children."""
    node = Node(row.number, row.level, row.tree)
    node.payload, node.count = row.payload, row.count
    node.position, node.spread = _vector3(row.position), row.spread
    node.low, node.high = _vector3(row.low), _vector3(row.high)
    node.first_ns, node.last_ns = row.first_ns, row.last_ns
    node.total = np.frombuffer(row.total, "<f4").astype(np.float32)
    node.text, node.text_stale = row.text, row.text_stale
    node.terms = Counter(json.loads(row.terms)) if row.terms else None
    return node


def check_leaf(leaf: Leaf, dimension: int) -> None:
    """Refuse a leaf that would break what its parents know.

    Raises:
        DimensionMismatch: Its vector has another length.
        InvalidVector: It is not a unit vector.
        InvalidPose: Its position or bounds are not finite, or the bounds upside down.
        InvalidStamp: Its span ends before it begins.
    """
    vector = np.asarray(leaf.vector)
    name = f"leaf {leaf.payload!r}"
    if vector.shape != (dimension,):
        raise DimensionMismatch(
            f"the vector of {name} has shape {vector.shape}; expected ({dimension},)"
        )
    length = float(np.linalg.norm(vector))
    if not abs(length - 1) < 1e-3:
        raise InvalidVector(f"the vector of {name} has length {length}; expected 1")
    corners = np.array([leaf.position, leaf.low or leaf.position, leaf.high or leaf.position])
    if not np.isfinite(corners).all() or (corners[1] > corners[2]).any():
        raise InvalidPose(f"position {leaf.position} or bounds of {name} cannot be: {corners}")
    if leaf.first_ns > leaf.last_ns:
        raise InvalidStamp(f"the span of {name} ends before it begins")


def check_node(node: Node, tree: str, *, smallest: int, largest: int) -> None:
    """See that a node is the union of its children, as many as there may be.

    Raises:
        MemoryDamaged: It is not; the message says in what.
    """
    where = f"forest node {node.number}"
    if node.tree != tree:
        raise MemoryDamaged(f"{where} says it is in tree {node.tree!r}, not {tree!r}")
    if node.level == 0:
        if node.children or node.count != 1:
            raise MemoryDamaged(f"{where} is a leaf with children, or counts other than 1")
        return
    if not (smallest if node.parent else 1) <= len(node.children) <= largest:
        raise MemoryDamaged(f"{where} has {len(node.children)} children")
    expected = Node(node.number, node.level, tree)
    expected.children = sorted(node.children, key=lambda child: child.number)
    if expected.children != node.children:
        raise MemoryDamaged(f"children of {where} are out of order")
    for child in node.children:
        if child.parent is not node or child.level != node.level - 1:
            raise MemoryDamaged(f"{where} and its child {child.number} disagree")
    expected.refresh()
    for name in ("count", "low", "high", "first_ns", "last_ns", "position", "spread"):
        if getattr(node, name) != getattr(expected, name):
            raise MemoryDamaged(f"{name} of {where} is not what its children make")
    if not np.array_equal(node.total, expected.total):
        raise MemoryDamaged(f"total of {where} is not the sum of its children's")
