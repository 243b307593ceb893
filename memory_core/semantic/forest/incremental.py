"""The growing forest: places come one at a time, in O(log n), and are kept with their words.

How the trees keep their balance is in `structure`; the similarity they go by is that of
Embodied-RAG (Xie et al. 2024). Texts and term counts are made when somebody looks, from the
children's, and only where something changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from memory_core.errors import InvalidId, MemoryDamaged
from memory_core.semantic.forest.nodes import (
    ForestRow,
    Leaf,
    Node,
    check_leaf,
    check_node,
    node_of,
    row_of,
    upwards,
)
from memory_core.semantic.forest.reference import ForestArrays
from memory_core.semantic.forest.structure import LARGEST, SMALLEST, Trees
from memory_core.semantic.forest.texts import NodeWords, compose, count_terms, merge_terms
from memory_core.types import FloatArray

KindOf = Callable[[FloatArray], str]


class SemanticForest(Trees):
    """Trees over places, one per key (a floor, a site).

    Every leaf is in exactly one tree; counts, bounds and spans of a parent are the union of its
    children's. Node numbers are never used again.
    """

    def __init__(self, dimension: int, *, kind_of: KindOf | None = None) -> None:
        """An empty forest.

        Args:
            dimension: Length of the leaves' vectors.
            kind_of: The kind of area a mean vector stands for, "" where none fits.
        """
        super().__init__()
        self.dimension = dimension
        self._kind_of = kind_of
        self._leaves: dict[str, Node] = {}

    # -- looking ---------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many leaves."""
        return len(self._leaves)

    def __contains__(self, payload: object) -> bool:
        """Whether a place is in the forest."""
        return payload in self._leaves

    @property
    def roots(self) -> dict[str, int]:
        """The root of each tree, by key."""
        return {key: root.number for key, root in sorted(self._roots.items())}

    @property
    def pending(self) -> int:
        """How many nodes wait to be re-balanced."""
        return len(self._pending)

    def leaf(self, payload: str) -> int:
        """The node of a place.

        Raises:
            InvalidId: It is not in the forest.
        """
        return self._leaf(payload).number

    def numbers(self) -> list[int]:
        """Of all nodes, ascending."""
        return sorted(self._nodes)

    def children(self, number: int) -> tuple[int, ...]:
        """Of a node, ascending."""
        return tuple(child.number for child in self._node(number).children)

    def siblings(self, number: int) -> tuple[int, ...]:
        """The other children of a node's parent, ascending; of a root none."""
        above = self._node(number).parent
        others = () if above is None else tuple(child.number for child in above.children)
        return tuple(other for other in others if other != number)

    def has(self, number: int) -> bool:
        """Whether there is a node of that number."""
        return number in self._nodes

    def path(self, number: int) -> tuple[int, ...]:
        """From the root down to a node, itself included."""
        return tuple(node.number for node in upwards(self._node(number)))[::-1]

    def vector(self, number: int) -> FloatArray:
        """Direction of the mean of a node's leaves, unit length, shape (d,)."""
        total = self._node(number).total
        length = float(np.linalg.norm(total))
        return np.asarray(total / length if length > 0 else total)

    def vectors(self, numbers: Sequence[int]) -> FloatArray:
        """Of several nodes, shape (len(numbers), d)."""
        totals = np.array([self._node(number).total for number in numbers])
        lengths = np.linalg.norm(totals, axis=1, keepdims=True)
        return np.asarray(totals / np.where(lengths > 0, lengths, 1))

    def positions(self, numbers: Sequence[int]) -> FloatArray:
        """Mean position of several nodes' leaves, metres, shape (len(numbers), 3)."""
        return np.array([self._node(number).position for number in numbers])

    def tops(self, tree: str | None = None) -> list[int]:
        """Root numbers; of one tree alone where its key is given."""
        return [number for key, number in self.roots.items() if tree in (None, key)]

    def row(self, number: int) -> ForestRow:
        """A node as it is stored."""
        node = self._node(number)
        return row_of(node, pending=number in self._pending)

    def text(self, number: int) -> str:
        """What is below a node, in words; told anew where something changed since."""
        node = self._node(number)
        if node.text_stale:
            siblings = node.parent.children if node.parent else []
            node.text = compose(
                self._words(node), [self._words(other) for other in siblings if other is not node]
            )
            node.text_stale = False
            self._touched.add(node.number)
        return node.text

    def words(self, number: int) -> NodeWords:
        """What a node's text is made from."""
        return self._words(self._node(number))

    def set_text(self, number: int, text: str) -> None:
        """Give a node a text, such as a language model's; it holds until something changes."""
        node = self._node(number)
        node.text, node.text_stale = text, False
        self._touched.add(number)

    def arrays(self, tree: str | None = None) -> tuple[ForestArrays, list[int]]:
        """A tree, or all of them, as arrays; and the number of each of its nodes."""
        nodes = [n for n in self._nodes.values() if tree is None or n.tree == tree]
        nodes.sort(key=lambda node: (node.level, node.number))
        index = {node.number: at for at, node in enumerate(nodes)}
        return ForestArrays(
            np.array([-1 if n.parent is None else index[n.parent.number] for n in nodes], np.int64),
            np.array([self.vector(n.number) for n in nodes], np.float32),
            np.array([n.position for n in nodes], np.float64).reshape(-1, 3),
            np.array([n.level for n in nodes], np.int64),
        ), [node.number for node in nodes]

    # -- changing --------------------------------------------------------------------------

    def add(self, leaf: Leaf, *, tree: str = "") -> int:
        """Put a place into a tree, in O(log n).

        Returns:
            Its number.

        Raises:
            InvalidId: It is in the forest already.
            InputRejected: A vector, position or span that cannot be.
        """
        check_leaf(leaf, self.dimension)
        if not leaf.payload or leaf.payload in self._leaves:
            raise InvalidId(f"leaf {leaf.payload!r} is empty or in the forest already")
        node = self._new(0, tree)
        node.become(leaf)
        self._leaves[leaf.payload] = node
        self._attach(node, tree)
        return node.number

    def update(self, leaf: Leaf, *, tree: str | None = None) -> int:
        """Give a place new values; it moves where its vector, position or tree changed.

        Args:
            leaf: The new values, under the payload it has.
            tree: Its new tree; None leaves it where it is.

        Returns:
            Its number, which stays.

        Raises:
            InvalidId: It is not in the forest.
            InputRejected: A vector, position or span that cannot be.
        """
        check_leaf(leaf, self.dimension)
        node = self._leaf(leaf.payload)
        target = node.tree if tree is None else tree
        stays = (
            target == node.tree
            and tuple(map(float, leaf.position)) == node.position
            and np.array_equal(np.asarray(leaf.vector, np.float32), node.total)
        )
        if stays:
            node.become(leaf)
            node.terms = None
            self._touched.add(node.number)
            self._refresh_up(node.parent)
        else:
            self._detach(node)
            node.become(leaf)
            node.terms = None
            self._attach(node, target)
        return node.number

    def remove(self, payload: str) -> None:
        """Take a place out, in O(log n).

        Raises:
            InvalidId: It is not in the forest.
        """
        node = self._leaf(payload)
        del self._leaves[payload]
        self._detach(node)
        self._discard(node)

    def merge(self, tree: str, *, into: str) -> None:
        """Join one tree to another, as when two floors turn out to be one.

        Raises:
            InvalidId: There is no such tree, or both are the same.
        """
        if tree == into or tree not in self._roots:
            raise InvalidId(f"no tree {tree!r} to merge into {into!r}; trees: {list(self._roots)}")
        root = self._roots.pop(tree)
        stack = [root]
        while stack:
            node = stack.pop()
            node.tree = into
            self._touched.add(node.number)
            stack += node.children
        other = self._roots.get(into)
        if other is None:
            self._roots[into] = root
            return
        if root.level > other.level:
            root, other = other, root
            self._roots[into] = other
        if root.level < other.level and len(root.children) >= SMALLEST:
            self._attach(root, into)
        elif len(root.children) >= SMALLEST and len(other.children) >= SMALLEST:
            self._raise_root(root, other)
        else:  # a root with one child may not become an inner node
            if len(other.children) < SMALLEST:
                root, other = other, root
                self._roots[into] = other
            children = list(root.children)
            self._discard(root)
            for child in children:
                child.parent = None
                self._attach(child, into)

    def rebalance(self, budget: int) -> int:
        """Improve at most `budget` of the nodes that changed, lowest numbers first.

        Returns:
            How many still wait; a forest left alone settles after finitely many.
        """
        for _ in range(budget):
            node = self._next_pending()
            if node is None:
                break
            self._improve(node)
        return len(self._pending)

    # -- storing ---------------------------------------------------------------------------

    def changed(self) -> tuple[list[ForestRow], list[int]]:
        """Nodes made or touched, and numbers removed, since the last call; ascending."""
        rows = [self.row(number) for number in sorted(self._touched)]
        removed = sorted(self._removed)
        self._touched.clear()
        self._removed.clear()
        return rows, removed

    @classmethod
    def load(
        cls,
        rows: Iterable[ForestRow],
        *,
        dimension: int,
        next_number: int,
        kind_of: KindOf | None = None,
    ) -> SemanticForest:
        """The forest whose rows were stored; it goes on as if it had never been away.

        Args:
            rows: All of them, in any order.
            dimension: Length of the leaves' vectors.
            next_number: The stored forest's `next_number`.
            kind_of: As in the constructor.

        Raises:
            MemoryDamaged: The rows are not a forest.
        """
        forest = cls(dimension, kind_of=kind_of)
        forest.next_number = next_number
        ordered = sorted(rows, key=lambda row: row.number)
        for row in ordered:
            forest._nodes[row.number] = node_of(row)
        for row in ordered:
            node = forest._nodes[row.number]
            if row.parent is None:
                if node.tree in forest._roots:
                    raise MemoryDamaged(f"tree {node.tree!r} of the forest has two roots")
                forest._roots[node.tree] = node
            elif row.parent not in forest._nodes:
                raise MemoryDamaged(f"forest node {row.number} has no parent {row.parent}")
            else:
                forest._nodes[row.parent].adopt(node)
            if row.level == 0:
                forest._leaves[row.payload] = node
            if row.pending:
                forest._await(node)
        forest.changed()
        return forest

    def check(self) -> None:
        """See that every invariant holds.

        Raises:
            MemoryDamaged: One does not; the message names it.
        """
        seen: set[int] = set()
        for key, root in self._roots.items():
            if root.parent is not None or root.level < 1:
                raise MemoryDamaged(f"root {root.number} of tree {key!r} has a parent or level 0")
            stack = [root]
            while stack:
                node = stack.pop()
                if node.number in seen:
                    raise MemoryDamaged(f"forest node {node.number} is in two places")
                seen.add(node.number)
                check_node(node, key, smallest=SMALLEST, largest=LARGEST)
                stack += node.children
        if seen != set(self._nodes):
            lost = sorted(set(self._nodes) ^ seen)[:5]
            raise MemoryDamaged(f"forest nodes {lost} are in no tree, or not registered")
        leaves = {node.payload: node for node in self._nodes.values() if node.level == 0}
        if leaves != self._leaves:
            raise MemoryDamaged("the forest's leaves are not those registered by their places")
        if any(number >= self.next_number for number in self._nodes):
            raise MemoryDamaged("a forest node's number is yet to be given")

    # -- bookkeeping -----------------------------------------------------------------------

    def _leaf(self, payload: str) -> Node:
        if payload not in self._leaves:
            raise InvalidId(f"the forest has no leaf {payload!r}")
        return self._leaves[payload]

    def _words(self, node: Node) -> NodeWords:
        kind = self._kind_of(self.vector(node.number)) if self._kind_of else ""
        return NodeWords(node.count, self._terms(node), node.low, node.high, kind)

    def _terms(self, node: Node) -> Counter[str]:
        if node.level == 0:
            return count_terms(node.text)
        if node.terms is None:
            node.terms = merge_terms([self._terms(child) for child in node.children])
            self._touched.add(node.number)
        return node.terms
