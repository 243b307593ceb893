"""Thinning: what old observations alone tell stays told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_core import Keyframe, Observation, Pose, RobotMemory, Sighting
from memory_core.perception.text import HashingEncoder
from memory_core.semantic import consolidation
from memory_core.semantic.thinning import WITNESSES, oldest, superfluous, what_is_told

DAY_NS = 86_400 * 10**9
START_NS = 1_767_603_600 * 10**9


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[RobotMemory]:
    """An empty memory."""
    with RobotMemory.open(tmp_path / "m", text_encoder=HashingEncoder(64), gpu=False) as memory:
        yield memory


def look(number: int, day: int, cup: tuple[float, float], **parts: object) -> Observation:
    """A table and a cup seen from one of forty standpoints."""
    x, y = 0.35 * (number % 8), 0.35 * (number // 8 % 5) - 0.7
    seen = [Sighting("table", position=(4.0 - x, -y, 0.5))]
    seen.append(Sighting("cup", position=(cup[0] - x, cup[1] - y, 0.8)))
    return Observation(
        f"{day}-{number}", START_NS + day * DAY_NS + number * 10**9, "camera",
        session=f"day {day}", pose=Pose.from_yaw(x, y, yaw=0.0), sightings=tuple(seen),
        **parts,  # type: ignore[arg-type]
    )  # fmt: skip


@given(st.lists(st.sets(st.integers(0, 12), max_size=5), max_size=40), st.data())
def test_nothing_is_told_by_fewer_than_two_that_was_told_by_two(
    told: list[set[Hashable]], data: st.DataObject
) -> None:
    rows = dict(enumerate(told))
    old = data.draw(st.lists(st.sampled_from(range(len(told))), unique=True)) if told else []

    gone = set(superfluous(rows, old))

    before = Counter(thing for things in told for thing in things)
    after = Counter(thing for row, things in rows.items() if row not in gone for thing in things)
    assert gone <= set(old)
    assert all(after[thing] >= min(WITNESSES, before[thing]) for thing in before)
    for row in set(old) - gone:  # and nothing stays without need
        assert any(after[thing] <= WITNESSES for thing in rows[row])


def test_the_oldest_go_first_and_the_protected_stay() -> None:
    stamps = {1: 30, 2: 10, 3: 20, 4: 99, 5: 5}
    assert oldest(stamps, 50, kept=[5]) == [2, 3, 1]


def test_old_views_go_but_every_stay_keeps_its_witnesses(
    memory: RobotMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolidation, "THIN_AFTER_S", 2 * 86_400.0)
    where = [(4.2, 1.0), (4.2, 1.0), (2.0, -1.5), (2.0, -1.5), (6.0, 1.0), (6.0, 1.0)]
    for day, cup in enumerate(where):
        memory.observe([look(n, day, cup) for n in range(40)])
        memory.observe(look(40, day, cup, text=f"the mail of day {day} came"))
        memory.consolidate(lag_s=0)
    for day in range(6, 12):
        memory.observe([look(n, day, where[-1]) for n in range(40)])
        memory.consolidate(lag_s=0)

    assert memory.store.count() <= 40 + 2 * 15 + 6  # today's views, two older stays, six mails
    forty_views = memory.store.count()
    memory.observe([look(n, 12, where[-1]) for n in range(40)])
    memory.consolidate(lag_s=0)
    assert memory.store.count() <= forty_views + 4  # what is seen every day is not stored anew
    stored = memory.store.fetch(list(memory.store.rowids()))
    stays = [stay for e in memory.entities() if e.label == "cup" for stay in e.history]
    assert len(stays) == 3
    for stay in stays:
        end_ns = stay.end_ns or stay.last_ns
        inside = [s for s in stored if stay.start_ns <= s.observation.stamp_ns <= end_ns]
        assert len(inside) >= WITNESSES
    words = {s.observation.text for s in stored if s.observation.text}
    assert words == {f"the mail of day {day} came" for day in range(6)}
    removed = [r for r in memory.removals() if "old" in r.reason]
    assert removed and all(removal.kind == "consolidation" for removal in removed)


def test_pictures_notes_and_unknown_things_are_each_told_once(memory: RobotMemory) -> None:
    seen = (Sighting("comet", position=(9.0, 0.0, 3.0)),)
    plain = {"session": "s", "pose": Pose(0.0, 0.0, 0.0)}
    memory.observe(
        [
            Observation("note", START_NS, "note", text="mind the step", **plain),  # type: ignore[arg-type]
            Observation("picture", START_NS + 1, "camera",
                        keyframe=Keyframe(_jpeg(), 8, 8), **plain),  # type: ignore[arg-type]
            Observation("comet", START_NS + 2, "camera", sightings=seen, **plain),  # type: ignore[arg-type]
            *(Observation(f"path {n}", START_NS + 3 + n, "odometry", **plain) for n in range(5)),  # type: ignore[arg-type]
        ]
    )  # fmt: skip

    told, stamps = what_is_told(memory.store, {})
    gone = superfluous(told, oldest(stamps, START_NS + DAY_NS))

    ids = {s.rowid: s.observation.id for s in memory.store.fetch(list(told))}
    left = {ids[row] for row in told if row not in gone}
    assert left >= {"note", "picture", "comet"}
    assert len(left) <= 5


def _jpeg() -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return file.getvalue()
