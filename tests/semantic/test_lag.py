"""Answers that may be a little behind: the scene is built anew only so often."""

import dataclasses
import threading

from memory_core.memory import RobotMemory
from memory_core.semantic import consolidation
from memory_core.types import Observation, Pose, Sighting


def seen(stamp: int, label: str) -> Observation:
    sighting = Sighting(label, position=(1.0, float(stamp), 0.5), size=(0.1, 0.1, 0.1))
    return Observation(f"o{stamp}", stamp, source="camera", pose=Pose(), sightings=(sighting,))


def test_without_a_lag_what_was_just_observed_is_known(tmp_path):
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        for stamp, thing in enumerate(("mug", "lamp", "vase"), start=1):
            memory.observe(seen(stamp, thing))
            assert not memory.ask(f"where is the {thing}?", now_ns=100).abstained


def test_with_a_lag_answers_may_be_behind_but_not_for_longer(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("memory_core.semantic.structure.time.monotonic", lambda: clock[0])
    with RobotMemory.open(tmp_path / "m", text_encoder=None, lag_s=1.0) as memory:
        memory.observe(seen(1, "mug"))
        assert not memory.ask("where is the mug?", now_ns=100).abstained
        memory.observe(seen(2, "lamp"))
        assert memory.ask("where is the lamp?", now_ns=100).abstained
        clock[0] += 1.1
        assert not memory.ask("where is the lamp?", now_ns=100).abstained


def test_what_was_forgotten_is_gone_at_once_whatever_the_lag(tmp_path):
    with RobotMemory.open(tmp_path / "m", text_encoder=None, lag_s=1000.0) as memory:
        memory.observe(seen(1, "mug"))
        assert not memory.ask("where is the mug?", now_ns=100).abstained
        memory.forget(ids=["o1"], reason="test")
        assert memory.ask("where is the mug?", now_ns=100).abstained


def test_while_questions_come_the_scene_is_built_ahead_of_them(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("memory_core.semantic.structure.time.monotonic", lambda: clock[0])
    with RobotMemory.open(tmp_path / "m", text_encoder=None, lag_s=1.0) as memory:
        memory.observe(seen(1, "mug"))
        memory.recall("mug", mode="scene")
        memory.observe(seen(2, "lamp"))
        clock[0] += 0.6
        assert not names(memory.recall("lamp", mode="scene")) & {"lamp"}
        memory.wait()
        structure = memory._structure
        with structure.organiser.lock:  # held by whoever organises: the question does not wait
            other = threading.Thread(
                target=lambda: found.append(
                    names(memory.recall("lamp", mode="scene", explain=False))
                )
            )
            found: list[set[str]] = []
            other.start()
            other.join(5.0)
            assert found
            assert "lamp" in found[0]


def names(recall):
    return {item.sighting.label for item in recall.objects}


def test_what_is_too_young_to_be_let_go_of_is_not_read_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(consolidation, "DUE", 5)
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        for number in range(1, 11):
            memory.observe(seen(number * 10**9, "mug"))
        memory.organise()
        keeper = consolidation.Consolidator(memory.store)
        assert not keeper.due(memory._structure.organiser)
        later = dataclasses.replace(seen(10**12, "mug"), id="later")
        memory.observe([dataclasses.replace(later, id=f"later{n}") for n in range(30)])
        memory.organise()
        assert keeper.due(memory._structure.organiser)


def test_a_large_scene_that_stands_is_given_at_once_also_after_a_pause(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("memory_core.semantic.structure.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("memory_core.semantic.structure.LIVE_STANDPOINTS", 3)
    with RobotMemory.open(tmp_path / "m", text_encoder=None, lag_s=1.0) as memory:
        again = [dataclasses.replace(seen(1, "mug"), id=f"a{n}", stamp_ns=n) for n in range(1, 9)]
        memory.observe(again)
        memory.organise()
        memory.recall("mug", mode="scene")
        structure = memory._structure
        clock[0] += 60.0
        memory.observe(dataclasses.replace(again[-1], id="b", stamp_ns=20))
        memory.organise()
        memory.recall("mug", mode="scene")
        memory.observe(dataclasses.replace(again[-1], id="c", stamp_ns=30))
        assert structure._recent() is not None


def test_one_young_observation_before_old_ones_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(consolidation, "DUE", 5)
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        memory.observe(seen(10**13, "mug"))
        memory.observe(seen(number * 10**9, "lamp") for number in range(1, 30))
        memory.organise()
        keeper = consolidation.Consolidator(memory.store)
        assert not keeper.due(memory._structure.organiser)
        assert not keeper.consolidate(memory._structure.organiser).considered
