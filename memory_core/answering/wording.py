"""Answers in plain English: times, places, lists. Everything remembered is quoted as data."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from memory_core.language.times import from_ns
from memory_core.types import Vector3

MAX_QUOTE = 160


def moment(stamp_ns: int, where: dt.tzinfo, *, now_ns: int | None = None) -> str:
    """A moment in local time: "today at 14:02:11", "on 3 March 2026 at 14:02:11".

    Args:
        stamp_ns: Nanoseconds since the epoch.
        where: The zone it is told in.
        now_ns: What "today" is; None spells the date out.
    """
    local = from_ns(stamp_ns, where)
    clock = local.strftime("%H:%M:%S")
    if now_ns is not None:
        days = (from_ns(now_ns, where).date() - local.date()).days
        if days in (0, 1):
            return f"{'today' if days == 0 else 'yesterday'} at {clock}"
    return f"on {local.day} {local.strftime('%B %Y')} at {clock}"


def duration(seconds: float) -> str:
    """A length of time in words: "2 h 5 min", "48 s"."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def position(at: Vector3) -> str:
    """Coordinates in the map, metres."""
    return f"({at[0]:.2f}, {at[1]:.2f}, {at[2]:.2f}) m"


def listing(labels: Iterable[str], *, limit: int = 12) -> str:
    """Names with counts, most frequent first: "3 chairs, a table and a lamp"."""
    counted = Counter(labels)
    names = [
        _counted(label, count)
        for label, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]
    if len(names) > limit:
        names = [*names[:limit], f"{len(names) - limit} more kinds of things"]
    return conjunction(names)


def _counted(label: str, count: int) -> str:
    return with_article(label) if count == 1 else f"{count} {plural(label)}"


def with_article(name: str) -> str:
    """A name with "a" or "an", unless it is plural or has one."""
    if name.split(" ")[0] in ("a", "an", "the", "some") or (
        name.endswith("s") and not name.endswith("ss")
    ):
        return name
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def plural(name: str) -> str:
    """The plural of a name."""
    if name.endswith("s") and not name.endswith("ss"):
        return name
    if name.endswith(("ss", "sh", "ch", "x")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    if name.endswith(("shelf", "leaf")):
        return f"{name[:-1]}ves"
    return f"{name}s"


def conjunction(names: Sequence[str]) -> str:
    """Names joined by commas and "and"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def quote(text: str) -> str:
    """Remembered words as a quotation, shortened."""
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= MAX_QUOTE else flat[: MAX_QUOTE - 1].rstrip() + '…'}”"


def floor_name(floor: int, floors: int) -> str:
    """A floor for people, counted from 1 at the bottom."""
    return f"floor {floor + 1} of {floors}"
