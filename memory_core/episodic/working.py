"""Working memory: what a robot has before it, what it holds of late, and what is worth keeping.

Two tiers before long-term memory, after XMem (2022) and IXC2.5-OmniLive (2024). The *sensory*
buffer has everything of the last seconds. The bounded *working* memory holds views, each the
first that showed what it shows. An observation that one view explains in every part repeats it:
it raises that view's count and is not kept. Whatever is not explained is kept, so nothing unique
is lost; a view is never averaged with its repetitions, so what moves slowly leaves it in the end.
A thing that was seen a moment ago and is not seen now was overlooked; it is gone once it is out
of the sensory buffer. When working memory is full, what was used least and told least goes out of
it; its observation stays in long-term memory.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Literal

from memory_core.episodic.sameness import (
    Item,
    SamenessRule,
    Shown,
    explains,
    same_standpoint,
    shown,
    unlike,
)
from memory_core.types import Json, Pose

__all__ = ["Decision", "Item", "Reason", "SamenessRule", "WorkingMemory", "WorkingRule"]

Reason = Literal["new", "unseen", "moved", "repeated", "returned"]
"""new: no view explains it; unseen: the caller said so; moved: along a new path on which nothing
was seen; repeated: a view or a path again; returned: the same after a while."""

_COMPARED = 64
_IN_A_CELL = 256
_LATELY = 16


@dataclass(frozen=True, slots=True)
class WorkingRule:
    """What repeats what, how paths are thinned, and how much is held.

    Attributes:
        same: When two observations show the same.
        path_m: Where nothing is seen, a pose is kept every so many metres of new path, ...
        path_rad: ... or so much turned, radians.
        away_s: A view seen again after this long was returned to, seconds.
        sensory_s: How long everything is held, seconds.
        capacity: How many views are held.
    """

    same: SamenessRule = field(default_factory=SamenessRule)
    path_m: float = 0.5
    path_rad: float = 0.5
    away_s: float = 60.0
    sensory_s: float = 5.0
    capacity: int = 8192


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one observation.

    Attributes:
        kept: Whether long-term memory stores it.
        into: Where it is not kept, the row it repeats.
        reason: Why.
        novelty: How unlike the views of late it is, 0 to 1; 0 where it repeats one or
            nothing was seen.
    """

    kept: bool
    into: int | None
    reason: Reason
    novelty: float = 0.0


@dataclass(slots=True)
class _View:
    shown: Shown
    novelty: float
    last_ns: int
    count: int = 1
    used: int = 0

    @property
    def item(self) -> Item:
        return self.shown.item


class WorkingMemory:
    """Judges observations in the order in which they arrive."""

    def __init__(self, rule: WorkingRule | None = None) -> None:
        """Choose the rule."""
        self.rule = rule or WorkingRule()
        self._views: dict[int, _View] = {}
        self._cells: dict[tuple[Json, ...], dict[int, None]] = {}
        self._latest: dict[str, int] = {}
        self._lately: dict[str, deque[int]] = {}
        self._sensory: deque[Shown] = deque()
        self._tick = 0

    def __len__(self) -> int:
        return len(self._views)

    def __contains__(self, row: int) -> bool:
        return row in self._views

    def before_the_robot(self) -> tuple[Item, ...]:
        """Everything of the last seconds, kept or not, oldest first."""
        return tuple(held.item for held in self._sensory)

    def count(self, row: int) -> int:
        """How often a view that is held was seen.

        Raises:
            KeyError: It is not held.
        """
        return self._views[row].count

    def consider(self, item: Item) -> Decision:
        """Decide whether the next observation is kept, and hold it if it is a new view."""
        new = shown(item, self.rule.same)
        self._sense(new)
        if not item.shows_something:
            return self._along_path(new)
        view = None if item.unseen else self._explaining(new)
        if view is not None:
            return self._again(view, item)
        novelty = self._novelty(item)
        self._hold(new, novelty)
        return Decision(True, None, "unseen" if item.unseen else "new", novelty)

    def seen_since(self, stamp_ns: int) -> set[int]:
        """Rows of views that were seen, first or again, at a moment or later."""
        return {row for row, view in self._views.items() if view.last_ns >= stamp_ns}

    def forget(self, rows: Iterable[int]) -> None:
        """Let go of views whose observations are no more; nothing repeats them from now on."""
        for row in rows:
            view = self._views.pop(row, None)
            if view is not None:
                key = self._key(view.item)
                self._cells[key].pop(row)
                if not self._cells[key]:
                    del self._cells[key]
        self._latest = {s: row for s, row in self._latest.items() if row in self._views}

    def state(self) -> Json:
        """What `restore` needs besides the kept observations themselves, as JSON."""
        return {
            "views": [
                [row, view.last_ns, view.count, view.used, view.novelty]
                for row, view in self._views.items()
            ],
            "latest": self._latest,
            "lately": {stream: list(rows) for stream, rows in self._lately.items()},
            "tick": self._tick,
        }

    @classmethod
    def restore(
        cls,
        state: Json,
        load: Callable[[Sequence[int]], Iterable[Item]],
        *,
        rule: WorkingRule | None = None,
    ) -> WorkingMemory:
        """The working memory whose `state` this is; the sensory buffer is empty.

        Args:
            state: From `state`.
            load: Gives the items of rows as they were kept, in any order; rows that are no more
                are left out.
            rule: As before.
        """
        memory = cls(rule)
        kept = {row: rest for row, *rest in state["views"]}
        items = {item.row: item for item in load(list(kept))}
        for row in sorted(items, key=lambda row: kept[row][2]):
            last_ns, count, used, novelty = kept[row]
            held = shown(items[row], memory.rule.same)
            memory._views[row] = _View(held, novelty, last_ns, count, used)
            memory._cells.setdefault(memory._key(items[row]), {})[row] = None
        for stream, rows in state["lately"].items():
            memory._lately[stream] = deque(rows, maxlen=_LATELY)
        memory._latest, memory._tick = dict(state["latest"]), state["tick"]
        return memory

    def _sense(self, new: Shown) -> None:
        self._sensory.append(new)
        now_ns = new.item.stamp_ns
        since = now_ns - int(self.rule.sensory_s * 1e9)
        while not since <= self._sensory[0].item.stamp_ns <= now_ns:
            self._sensory.popleft()

    def _explaining(self, new: Shown) -> _View | None:
        """The view last used of those that explain all of an item, with nothing overlooked first."""
        same = self.rule.same
        reach = {"distance_m": same.distance_m, "angle_rad": same.angle_rad}
        latest = self._views.get(self._latest.get(new.item.stream, -1))
        if (  # of a robot that stands still; it would be the first of those near
            latest is not None
            and latest.item.shows_something
            and same_standpoint(latest.item.pose, new.item.pose, **reach)
            and explains(latest.shown, new, same)
        ):
            return latest
        near = self._near(new.item, **reach)
        lately = [
            held
            for held in self._sensory
            if held.item.stream == new.item.stream and held is not new
        ]
        for seen in ((), lately):
            for view in near:
                if explains(view.shown, new, same, lately=seen):
                    return view
        return None

    def _near(self, item: Item, *, distance_m: float, angle_rad: float) -> list[_View]:
        """Views from an item's standpoint, that used last first."""
        around = [
            self._views[row]
            for key in self._keys_around(item)
            if key in self._cells
            for row in islice(reversed(self._cells[key]), _IN_A_CELL)
        ]
        near = [
            view
            for view in around
            if same_standpoint(
                view.item.pose, item.pose, distance_m=distance_m, angle_rad=angle_rad
            )
        ]
        return sorted(near, key=lambda view: -view.used)[:_COMPARED]

    def _key(self, item: Item) -> tuple[Json, ...]:
        """What views have to share to be compared: stream, a cell of space, whether it shows."""
        size_m = max(self.rule.same.distance_m, self.rule.path_m)
        return (item.stream, item.shows_something, _cell(item.pose, size_m))

    def _keys_around(self, item: Item) -> list[tuple[Json, ...]]:
        stream, shows, cell = self._key(item)
        if cell is None:
            return [(stream, shows, None)]
        shifts = product((-1, 0, 1), repeat=3)
        return [(stream, shows, tuple(map(sum, zip(cell, by, strict=True)))) for by in shifts]

    def _again(self, view: _View, item: Item) -> Decision:
        away_s = (item.stamp_ns - view.last_ns) * 1e-9
        self._use(view, item.stamp_ns)
        self._latest[item.stream] = view.item.row
        reason: Reason = "returned" if away_s > self.rule.away_s else "repeated"
        return Decision(False, view.item.row, reason)

    def _hold(self, new: Shown, novelty: float) -> None:
        item = new.item
        if len(self._views) >= self.rule.capacity:
            self.forget(self._least_used(item.stamp_ns))
        view = _View(new, novelty, item.stamp_ns)
        self._views[item.row] = view
        if item.shows_something:
            self._lately.setdefault(item.stream, deque(maxlen=_LATELY)).append(item.row)
        self._use(view, item.stamp_ns, again=0)
        self._latest[item.stream] = item.row

    def _use(self, view: _View, stamp_ns: int, *, again: int = 1) -> None:
        self._tick += 1
        view.used = self._tick
        view.count += again
        view.last_ns = max(view.last_ns, stamp_ns)
        bucket = self._cells.setdefault(self._key(view.item), {})
        bucket.pop(view.item.row, None)
        bucket[view.item.row] = None

    def _least_used(self, now_ns: int) -> list[int]:
        """An eighth of the views, those least used and least new for how long they are held."""

        def worth(view: _View) -> tuple[float, int]:
            held_s = 1 + abs(now_ns - view.item.stamp_ns) * 1e-9
            return (view.count + view.novelty) / held_s, view.item.row

        ranked = sorted(self._views.values(), key=worth)
        return [view.item.row for view in ranked[: max(1, self.rule.capacity // 8)]]

    def _novelty(self, item: Item) -> float:
        """How unlike the most alike of the stream's latest views an item is, 0 to 1."""
        rows = self._lately.get(item.stream, ())
        views = [self._views[row] for row in rows if row in self._views]
        return min((unlike(item, view.item) for view in views), default=1.0)

    def _along_path(self, new: Shown) -> Decision:
        """Thin poses at which nothing was seen; a path taken before is not kept again."""
        item = new.item
        latest = self._latest.get(item.stream)
        if item.pose is None and latest is not None:
            return Decision(False, latest, "repeated")
        path = self._near(item, distance_m=self.rule.path_m, angle_rad=self.rule.path_rad)
        if path:
            return self._again(path[0], item)
        self._hold(new, 0.0)
        return Decision(True, None, "new" if latest is None else "moved")


def _cell(pose: Pose | None, size_m: float) -> tuple[int, ...] | None:
    return None if pose is None else tuple(math.floor(x / size_m) for x in pose.position)
