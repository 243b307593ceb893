"""Rules for what goes first when memory is full.

FIFO, LIFO, MVFO and LVFO are the rules of the Spatially-Aware Transformer (Cho et al. 2024);
Ebbinghaus decay with reinforcement is MemoryBank's (Zhong et al. 2023). Every rule is an order of
loss: what it would drop for a smaller need is the beginning of what it drops for a larger one.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from memory_core.errors import DimensionMismatch, InvalidQuery
from memory_core.types import BoolArray, FloatArray, IntArray

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What memory holds, n items, column by column; each of shape (n,).

    Attributes:
        stamp_ns: When each was perceived.
        last_access_ns: When it was last recalled or seen again; its stamp if never.
        accesses: How often it was.
        place: Number of the place it was perceived in; -1, a place of its own, where unknown.
        novelty: How unlike what came before it was, 0 to 1.
        size: Bytes it takes.
        protected: Items that never go.
    """

    stamp_ns: IntArray
    last_access_ns: IntArray
    accesses: IntArray
    place: IntArray
    novelty: FloatArray
    size: IntArray
    protected: BoolArray

    def checked(self) -> Stored:
        """These columns.

        Raises:
            DimensionMismatch: They are not of one length.
        """
        columns = (self.stamp_ns, self.last_access_ns, self.accesses, self.place, self.novelty,
                   self.size, self.protected)  # fmt: skip
        shapes = {np.shape(column) for column in columns}
        if len(shapes) != 1 or len(min(shapes)) != 1:
            raise DimensionMismatch(f"columns of stored items have shapes {sorted(shapes)}")
        return self


class RetentionPolicy(Protocol):
    """Chooses what a full memory loses."""

    @property
    def name(self) -> str:
        """What configuration calls it."""

    def victims(self, items: Stored, count: int, *, now_ns: int) -> IntArray:
        """The items that go first.

        Args:
            items: All that is held.
            count: How many have to go.
            now_ns: The present.

        Returns:
            Indices of at most `count` items, shape (m,), first to go first; fewer where the rest
            is protected.

        Raises:
            DimensionMismatch: The columns are not of one length.
        """


@dataclass(frozen=True, slots=True)
class ByTime:
    """First in, first out; or last in, first out, which keeps the beginnings."""

    name: str
    newest_first: bool

    def victims(self, items: Stored, count: int, *, now_ns: int) -> IntArray:
        """The oldest, or the newest; see `RetentionPolicy.victims`."""
        free = np.flatnonzero(~items.checked().protected)
        order = free[np.argsort(items.stamp_ns[free], kind="stable")]
        return (order[::-1] if self.newest_first else order)[: max(0, count)]


@dataclass(frozen=True, slots=True)
class ByVisits:
    """The place held most often loses first, which evens places out; or the one held least."""

    name: str
    most_first: bool

    def victims(self, items: Stored, count: int, *, now_ns: int) -> IntArray:
        """The oldest of one place after the other; see `RetentionPolicy.victims`.

        Visits are counted anew after every loss. Of places visited alike, the one with the
        oldest item loses.
        """
        visits = Counter(items.checked().place.tolist())
        oldest_first = ByTime("fifo", newest_first=False).victims(
            items, items.stamp_ns.size, now_ns=now_ns
        )
        queues: dict[int, list[tuple[int, int]]] = {}
        for rank, item in reversed(list(enumerate(oldest_first.tolist()))):
            queues.setdefault(int(items.place[item]), []).append((rank, item))
        sign = -1 if self.most_first else 1
        heap = [(sign * visits[place], queue[-1][0], place) for place, queue in queues.items()]
        heapq.heapify(heap)
        chosen: list[int] = []
        while heap and len(chosen) < count:
            _, _, place = heapq.heappop(heap)
            chosen.append(queues[place].pop()[1])
            visits[place] -= 1
            if queues[place]:
                heapq.heappush(heap, (sign * visits[place], queues[place][-1][0], place))
        return np.array(chosen, np.int64)


@dataclass(frozen=True, slots=True)
class Ebbinghaus:
    """Retention R = exp(-t / S): t since the last recall, S grows with each (MemoryBank 2023).

    What stands out is remembered longer (von Restorff 1933): novelty, 0 to 1, raises S too.

    Attributes:
        name: What configuration calls it.
        strength_ns: S of an item never recalled and not novel, nanoseconds.
    """

    name: str = "ebbinghaus"
    strength_ns: float = DAY_NS

    def retention(self, items: Stored, *, now_ns: int) -> FloatArray:
        """R of every item, 0 to 1, shape (n,)."""
        return np.asarray(np.exp(-self._faded(items, now_ns)))

    def victims(self, items: Stored, count: int, *, now_ns: int) -> IntArray:
        """What is retained least; of that retained alike the oldest."""
        free = np.flatnonzero(~items.checked().protected)
        faded = self._faded(items, now_ns)[free]  # t / S orders as R does and never underflows
        return free[np.lexsort((items.stamp_ns[free], -faded))][: max(0, count)]

    def _faded(self, items: Stored, now_ns: int) -> FloatArray:
        age = np.maximum(0, now_ns - items.last_access_ns)
        strength = self.strength_ns * (1 + items.accesses) * (1 + items.novelty)
        return np.asarray(age / strength, np.float64)


RULES: tuple[RetentionPolicy, ...] = (
    ByTime("fifo", newest_first=False),
    ByTime("lifo", newest_first=True),
    ByVisits("mvfo", most_first=True),
    ByVisits("lvfo", most_first=False),
)
"""The four rules the learned allocator chooses among."""

POLICIES: Mapping[str, RetentionPolicy] = {policy.name: policy for policy in (*RULES, Ebbinghaus())}


def policy_named(name: str) -> RetentionPolicy:
    """The policy that configuration calls by a name.

    Raises:
        InvalidQuery: There is none of that name.
    """
    if name not in POLICIES:
        raise InvalidQuery(f"no retention policy {name!r}; there are {', '.join(POLICIES)}")
    return POLICIES[name]


def victims_freeing(policy: RetentionPolicy, items: Stored, size: int, *, now_ns: int) -> IntArray:
    """The fewest first victims of a policy that together free so many bytes.

    Args:
        policy: Whose order counts.
        items: All that is held.
        size: Bytes to free.
        now_ns: The present.

    Returns:
        Indices, shape (m,), first to go first; all that may go where they do not suffice.
    """
    order = policy.victims(items, items.stamp_ns.size, now_ns=now_ns)
    freed_before = np.cumsum(items.size[order]) - items.size[order]
    return order[freed_before < size]
