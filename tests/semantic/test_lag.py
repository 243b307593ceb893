"""Answers that may be a little behind: the scene is built anew only so often."""

from memory_core.memory import RobotMemory
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
