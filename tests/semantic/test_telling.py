"""A language model tells the forest's areas; what it told is kept until the area changes."""

from __future__ import annotations

import json

import pytest

from memory_core.errors import MemoryReadOnly, ModelReplyInvalid

from .remembered import opened, tour


class Model:
    """Names areas by their number of places; replies that do not fit come first."""

    def __init__(self, *first: str) -> None:
        self.first, self.heard = list(first), []

    def complete(self, messages):
        self.heard.append(json.loads(messages[1]["content"]))
        if self.first:
            return self.first.pop(0)
        count = self.heard[-1]["places"]
        return json.dumps({"name": f"Area of {count}", "summary": "Rooms of a flat."})


def areas(memory):
    return [node for node in memory.forest() if node.children]


def test_every_area_is_told_once_smallest_first_and_it_survives_a_restart(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=2))
        model, seen = Model(), []
        told = memory.tell_forest(model, progress=lambda done, total: seen.append((done, total)))
        assert told == len(areas(memory)) == len(model.heard)
        assert told > 0
        assert seen[-1] == (told, told)
        sizes = [facts["places"] for facts in model.heard]
        assert sizes == sorted(sizes)
        assert all(facts["parts"] for facts in model.heard)
        texts = [node.text for node in areas(memory)]
        assert texts == [f"Area of {node.count}: Rooms of a flat." for node in areas(memory)]
    with opened(tmp_path / "memory") as memory:
        assert [node.text for node in areas(memory)] == texts
        assert memory.verify().clean


def test_an_area_that_changed_tells_itself_again(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=2))
        memory.tell_forest(Model())
        memory.forget(ids=[item.id for item in tour(rounds=2)][:12], reason="private")
        assert not any(node.text.startswith("Area of") for node in memory.forest()[:1])


def test_a_reply_that_does_not_fit_twice_ends_it_and_what_was_told_stays(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=2))
        before = {node.id: node.text for node in areas(memory)}
        with pytest.raises(ModelReplyInvalid):
            memory.tell_forest(Model("{}", "nothing"))
        assert {node.id: node.text for node in areas(memory)} == before


def test_a_memory_that_is_open_to_read_is_not_told(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=1))
    with opened(tmp_path / "memory", read_only=True) as memory, pytest.raises(MemoryReadOnly):
        memory.tell_forest(Model())
