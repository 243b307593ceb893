"""Trees of equal depth whose nodes part, dissolve and trade children as places come and go.

A node has 2 to 6 children (a root from 1), so n leaves lie at most log2(n) levels down. What joins
descends by mean similarity to the nodes' leaves, a few nodes abreast; a node that grows too wide is
parted at its sparsest cut, and only the path above changes (cf. BIRCH, Zhang et al. 1996; PERCH,
Kobren et al. 2017). Re-balancing lowers Dasgupta's cost (2016) among a node's grandchildren, and
grafts the child that fits least to where it costs less.
"""

from __future__ import annotations

import heapq

import numpy as np

from memory_core.errors import InvalidId
from memory_core.semantic.forest.nodes import Node, likeness, move_gain, weights_between
from memory_core.semantic.forest.partition import settle, sparsest_cut

SMALLEST = 2
LARGEST = 6
ABREAST = 4


class Trees:
    """Nodes and roots, and the moves that keep every tree as deep everywhere."""

    def __init__(self) -> None:
        """No tree."""
        self.next_number = 0
        self._nodes: dict[int, Node] = {}
        self._roots: dict[str, Node] = {}
        self._touched: set[int] = set()
        self._removed: set[int] = set()
        self._pending: set[int] = set()
        self._queue: list[int] = []

    def _attach(self, node: Node, tree: str) -> None:
        """Bring a node, with all below it, into a tree at its own level."""
        self._touched.add(node.number)
        root = self._roots.get(tree)
        node.tree = tree
        if root is None:
            root = self._roots[tree] = self._new(node.level + 1, tree)
        self._join(node, self._descend(node, root))

    def _descend(self, node: Node, start: Node) -> Node:
        """The likeliest parent of a node, found from the top, a few nodes abreast."""
        front = [start]
        while front[0].level > node.level + 1:
            below = [child for parent in front for child in parent.children]
            best = np.argsort(-likeness(node, below), kind="stable")[:ABREAST]
            front = [below[at] for at in best]
        return front[0]

    def _join(self, node: Node, parent: Node) -> None:
        parent.adopt(node)
        self._touched.add(node.number)
        self._await(parent)
        wide: Node | None = parent
        while wide is not None and len(wide.children) > LARGEST:
            wide = self._part(wide)
        self._refresh_up(wide)

    def _part(self, node: Node) -> Node:
        """Part a node that is too wide; its parent, which may now be too wide itself."""
        second = sparsest_cut(*weights_between(node.children), smallest=SMALLEST)
        other = self._new(node.level, node.tree)
        children = node.children
        node.children = [child for child, away in zip(children, second, strict=True) if not away]
        for child, away in zip(children, second, strict=True):
            if away:
                other.adopt(child)
                self._touched.add(child.number)
        node.refresh()
        other.refresh()
        self._touched |= {node.number, other.number}
        if node.parent is None:
            return self._raise_root(node, other)
        node.parent.adopt(other)
        self._await(node.parent)
        return node.parent

    def _raise_root(self, one: Node, other: Node) -> Node:
        root = self._new(one.level + 1, one.tree)
        root.adopt(one)
        root.adopt(other)
        root.refresh()
        self._touched |= {one.number, other.number}
        self._roots[one.tree] = root
        self._await(root)
        return root

    def _detach(self, node: Node) -> None:
        """Take a node, with all below it, out of its tree; what becomes too narrow is dissolved."""
        parent = node.parent
        if parent is None:
            del self._roots[node.tree]
            return
        parent.children.remove(node)
        node.parent = None
        grandparent = parent.parent
        if grandparent is None:
            self._lower_root(parent)
        elif len(parent.children) < SMALLEST:
            (orphan,) = parent.children
            orphan.parent = None
            parent.children = []
            siblings = [child for child in grandparent.children if child is not parent]
            self._detach(parent)
            self._discard(parent)
            self._join(orphan, siblings[int(np.argmax(likeness(orphan, siblings)))])
        else:
            self._await(parent)
            self._refresh_up(parent)

    def _lower_root(self, root: Node) -> None:
        if not root.children:
            del self._roots[root.tree]
            self._discard(root)
        elif len(root.children) == 1 and root.level > 1:
            (child,) = root.children
            child.parent = None
            self._roots[root.tree] = child
            self._touched.add(child.number)
            self._discard(root)
        else:
            self._refresh_up(root)

    def _improve(self, node: Node) -> None:
        """Lower the cost around a node; only nodes above it are looked at again for that."""
        changed = self._settle(node)
        while self._fuse(node):
            changed = True
        if changed and node.parent is not None:
            self._await(node.parent)
        if node.parent is not None:
            self._graft(node)
        elif len(node.children) == 1:
            self._lower_root(node)

    def _settle(self, node: Node) -> bool:
        """Deal a node's grandchildren anew among its children; whether any moved."""
        if node.level < 2 or len(node.children) < 2:
            return False
        items = [item for child in node.children for item in child.children]
        before = np.repeat(np.arange(len(node.children)), [len(c.children) for c in node.children])
        after = settle(*weights_between(items), before, smallest=SMALLEST, largest=LARGEST)
        changed: set[Node] = set()
        for at in np.flatnonzero(before != after):
            source, target = node.children[before[at]], node.children[after[at]]
            self._hand_over(items[at], source, target)
            changed |= {source, target}
        for child in changed:
            child.refresh()
            self._touched.add(child.number)
        if changed:
            self._refresh_up(node)
        return bool(changed)

    def _fuse(self, node: Node) -> bool:
        """Make one of the two children for which that costs least, if it costs less than before."""
        if node.level < 2 or len(node.children) <= (SMALLEST if node.parent else 1):
            return False
        widths = np.array([len(child.children) for child in node.children])
        room = widths[:, None] + widths[None] <= LARGEST
        np.fill_diagonal(room, False)
        if not room.any():
            return False
        weights, counts = weights_between(node.children)
        across = np.array([weights_between(child.children)[0].sum() / 2 for child in node.children])
        gain = (node.count - counts[:, None] - counts[None]) * weights
        gain -= counts[:, None] * across[None] + counts[None] * across[:, None]
        gain[~room] = -np.inf
        first, second = divmod(int(np.argmax(gain)), len(widths))
        if not gain[first, second] > 0:
            return False
        kept, gone = node.children[min(first, second)], node.children[max(first, second)]
        for child in list(gone.children):
            self._hand_over(child, gone, kept)
        node.children.remove(gone)
        self._discard(gone)
        self._refresh_up(kept)
        return True

    def _graft(self, node: Node) -> None:
        """Move the child that fits its siblings least to where it costs less, if there is room."""
        if node.parent is None or len(node.children) <= SMALLEST:
            return
        weights, counts = weights_between(node.children)
        fit = weights.sum(axis=1) / (counts * (counts.sum() - counts))
        child = node.children[int(np.argmin(fit))]
        target = self._descend(child, self._roots[node.tree])
        if target is node or len(target.children) >= LARGEST or move_gain(child, target) <= 0:
            return
        self._hand_over(child, node, target)
        for changed in (node, target):
            self._refresh_up(changed)
            if changed.parent is not None:
                self._await(changed.parent)

    def _hand_over(self, child: Node, source: Node, target: Node) -> None:
        source.children.remove(child)
        target.adopt(child)
        self._touched.add(child.number)

    def _refresh_up(self, node: Node | None) -> None:
        while node is not None:
            node.refresh()
            self._touched.add(node.number)
            node = node.parent

    def _new(self, level: int, tree: str) -> Node:
        node = Node(self.next_number, level, tree)
        self.next_number += 1
        self._nodes[node.number] = node
        self._touched.add(node.number)
        return node

    def _discard(self, node: Node) -> None:
        del self._nodes[node.number]
        self._touched.discard(node.number)
        self._pending.discard(node.number)
        self._removed.add(node.number)

    def _await(self, node: Node) -> None:
        if node.level > 0 and node.number not in self._pending:
            self._pending.add(node.number)
            self._touched.add(node.number)
            heapq.heappush(self._queue, node.number)

    def _next_pending(self) -> Node | None:
        while self._queue:
            number = heapq.heappop(self._queue)
            if number in self._pending:
                self._pending.remove(number)
                self._touched.add(number)
                return self._nodes[number]
        return None

    def _node(self, number: int) -> Node:
        if number not in self._nodes:
            raise InvalidId(f"the forest has no node {number}")
        return self._nodes[number]
