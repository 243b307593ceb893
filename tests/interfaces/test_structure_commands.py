"""Entities, places, events, facts, consolidate, and why an answer was given."""

from __future__ import annotations

import pytest

from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import Observation, Pose, Sighting

from .conftest import START_NS, lines, write_lines

MINUTE = 60 * 10**9
DAY = 24 * 60 * MINUTE


def look(day, second, things, *, x=0.0):
    """A robot at (x, 0) that looks along +x and sees things at map positions."""
    sightings = tuple(
        Sighting(label, (at[0] - x, at[1], at[2]), covariance=(4e-4, 0, 0, 0, 4e-4, 0, 0, 0, 4e-4))
        for label, at in things
    )
    return Observation(
        id=f"{day}-{second}", stamp_ns=START_NS + day * DAY + second * 10**9, source="camera",
        session=f"day {day}", pose=Pose(x, 0.0), sightings=sightings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Two days in a room: the mug was moved, the table and the sink were not."""
    folder = tmp_path_factory.mktemp("room") / "memory"
    fixed = [("table", (3.0, 1.0, 0.4)), ("sink", (3.0, -1.0, 0.8))]
    seen = [
        look(day, second, [*fixed, ("mug", mug)], x=0.1 * second)
        for day, mug in ((0, (3.0, 1.0, 0.8)), (1, (2.8, -1.0, 0.95)))
        for second in range(8)
    ]
    with RobotMemory.open(folder, text_encoder=HashingEncoder()) as memory:
        memory.observe(seen)
        memory.organise()
    return folder


@pytest.fixture
def command(run, room):
    """Runs a command on that memory."""

    def running(name, *arguments):
        return run(name, "--memory", room, "--encoder", "hashing", *arguments)

    return running


def test_entities_are_told_once_each_with_where_they_are_now(command):
    found = {item["label"]: item for item in command("entities", "--json").json["entities"]}
    assert set(found) == {"mug", "table", "sink"}
    assert found["table"]["position"] == pytest.approx((3.0, 1.0, 0.4), abs=0.05)
    assert found["mug"]["position"] == pytest.approx((2.8, -1.0, 0.95), abs=0.05)
    assert (found["table"]["moved"], found["mug"]["moved"]) == (0, 1)
    assert found["mug"]["first_ns"] == START_NS
    assert found["mug"]["last_ns"] == START_NS + DAY + 7 * 10**9
    assert 0 < found["sink"]["spread_m"] < 0.1


def test_entities_of_one_kind(command):
    assert [e["label"] for e in command("entities", "mug", "--json").json["entities"]] == ["mug"]
    assert command("entities", "elephant", "--json").json == {"entities": []}
    done = command("entities", "elephant")
    assert (done.status, done.out) == (0, "Nothing called 'elephant' is known.\n")


def test_one_entity_tells_where_it_was_before(command):
    mug = command("entities", "mug", "--json").json["entities"][0]
    told = command("entities", mug["id"], "--json").json
    before, now = told["history"]
    assert before["position"] == pytest.approx((3.0, 1.0, 0.8), abs=0.05)
    assert before["end_ns"] is not None
    assert now["end_ns"] is None
    assert before["start_ns"] <= before["last_ns"] < now["start_ns"]
    people = command("entities", mug["id"], "--zone", "Europe/Berlin").out
    assert mug["id"] in people
    assert "10:00:00" in people


def test_an_entity_that_is_not_known_is_refused(command):
    done = command("entities", "entity:99999", "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")
    assert "entity:99999" in done.err


def test_places_tell_what_is_there(command):
    found = command("places", "--json").json["places"]
    assert sum(place["observations"] for place in found) == 16
    assert any("sink" in place["text"] for place in found)
    assert found[0]["id"] in command("places").out


def test_events_are_in_order_and_can_be_cut_to_a_span(command):
    found = command("events", "--json").json["events"]
    assert [event["start_ns"] for event in found] == sorted(e["start_ns"] for e in found)
    assert sum(event["observations"] for event in found) == 16
    second = command("events", "--from", "2026-03-04", "--json").json["events"]
    assert {event["session"] for event in second} == {"day 1"}
    assert command("events", "--to", "2026-03-01", "--json").json == {"events": []}
    assert "No event" in command("events", "--to", "2026-03-01").out
    done = command("events", "--from", "2026-03-04", "--to", "2026-03-03", "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")


def test_facts_about_a_word_speak_of_it(command):
    everything = command("facts", "--json").json["facts"]
    about = command("facts", "--about", "mug", "--json").json["facts"]
    assert 0 < len(about) < len(everything)
    assert all("mug" in (fact["subject_name"], fact["object_name"]) for fact in about)
    assert [fact for fact in everything if fact in about] == about
    mug = command("entities", "mug", "--json").json["entities"][0]["id"]
    assert command("facts", "--about", mug, "--json").json["facts"] == about
    assert command("facts", "--about", "elephant").out == "No fact speaks of 'elephant'.\n"
    assert "sink" in command("facts").out


@pytest.mark.parametrize("name", ["entities", "places", "events", "facts"])
def test_an_empty_memory_is_told_as_such(run, tmp_path, name):
    with RobotMemory.open(tmp_path / "m", text_encoder=None):
        pass
    options = (name, "--memory", tmp_path / "m", "--encoder", "none")
    assert run(*options, "--json").json == {name: []}
    assert run(*options).out.startswith("No ")


@pytest.mark.parametrize(
    "arguments",
    [("forest",), ("entities",), ("places",), ("events",), ("facts",), ("consolidate",)],
)
def test_a_missing_memory_is_not_made(run, tmp_path, arguments):
    done = run(*arguments, "--memory", tmp_path / "no", "--encoder", "none", "--json")
    assert (done.status, done.json["error"]) == (4, "memory_missing")
    assert not (tmp_path / "no").exists()


def test_repetitions_go_and_the_rest_still_adds_up(run, tmp_path):
    still = [
        {"id": f"s{n}", "stamp_ns": START_NS + n * 10**9, "pose": [0, 0, 0], "source": "camera",
         "sightings": [{"label": "mug", "position": [1.0, 0.5, 0.8]}]}
        for n in range(300)
    ]  # fmt: skip
    path = write_lines(tmp_path / "still.jsonl", still)
    options = ("--memory", tmp_path / "m", "--encoder", "hashing")
    run("ingest", path, *options)
    done = run("consolidate", "--lag", 0, *options, "--json").json
    assert done["before"] == 300
    assert 300 - sum(done["repeated"].values()) <= done["left"] < 60
    checked = run("verify", *options, "--json")
    assert (checked.status, checked.json["stored"]) == (0, done["left"])
    assert run("entities", *options, "--json").json["entities"][0]["label"] == "mug"
    assert f"{done['left']:,} of {done['left']:,} are left" in run("consolidate", *options).out


def test_ingest_keeps_within_the_bound_it_is_given(run, tmp_path):
    path = write_lines(tmp_path / "long.jsonl", lines(200))
    options = ("--memory", tmp_path / "m", "--encoder", "hashing", "--json")
    done = run("ingest", path, "--keep-observations", 100, "--policy", "fifo", *options).json
    assert done["added"] == 200
    assert done["consolidated"]["left"] <= 100
    assert done["consolidated"]["before"] == 200
    assert run("info", *options).json["observations"] == done["consolidated"]["left"]
    assert run("verify", *options).status == 0


@pytest.mark.parametrize(
    "arguments", [("--keep-observations", 0), ("--lag", -1), ("--lag", "nan"), ("--lag", 1e12)]
)
def test_bounds_that_make_no_sense_are_refused(command, arguments):
    done = command("consolidate", *arguments, "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")


def test_an_unknown_policy_is_wrong_usage(command, capsys):
    with pytest.raises(SystemExit) as raised:
        command("consolidate", "--keep-observations", 5, "--policy", "random")
    assert raised.value.code == 2


def test_recall_says_why_from_the_root_to_the_observation(command):
    best = command("recall", "mug", "-k", 3, "--json").json["evidence"][0]
    assert len(best["path"]) > 2
    out = command("recall", "mug", "-k", 3).out
    why = out[out.index("Why:") :]
    places = [why.index(node) for node in best["path"]]
    assert places == sorted(places)
    assert len(why.splitlines()) == 1 + len(best["path"])


def test_nothing_is_said_of_why_where_nothing_was_found(command):
    assert "Why:" not in command("recall", "mug", "--source", "nobody").out
