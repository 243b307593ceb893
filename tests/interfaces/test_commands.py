"""Every command: one JSON object for programs, a table for people, and what it did on disk."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from memory_core.memory import RobotMemory
from memory_core.perception.keyframes import encode_jpeg
from memory_core.perception.place import place_embedding
from memory_core.types import Observation, Pose

from .conftest import LAMP, MUG, START_NS, lines, write_lines

ANSWER_KEYS = {
    "answer", "kind", "abstained", "position", "frame", "map_id", "epoch", "stamp_ns", "value",
    "unit", "evidence",
}  # fmt: skip
EVIDENCE_KEYS = {"id", "stamp_ns", "position", "text", "weight", "parts", "path", "keyframe"}
MINUTE = 60 * 10**9


@pytest.fixture
def command(run, memory):
    """Runs a command on the small memory."""

    def running(name, *arguments):
        return run(name, *arguments, "--memory", memory, "--encoder", "hashing")

    return running


def ids(found):
    return {item["id"] for item in found["evidence"]}


def test_ask_prints_the_published_object(command):
    found = command("ask", "where is the mug?", "--now", "2026-03-03T10:00", "--json").json
    assert set(found) == ANSWER_KEYS
    assert (found["kind"], found["abstained"], found["frame"]) == ("where", False, "map")
    assert found["position"] == pytest.approx(MUG)
    assert found["stamp_ns"] == START_NS + 10 * MINUTE
    for item in found["evidence"]:
        assert set(item) >= EVIDENCE_KEYS
        assert set(item["parts"]) == {"meaning", "space", "time"}


def test_ask_takes_words_without_quotation_marks(command):
    found = command("ask", "where", "is", "the", "lamp", "--json").json
    assert found["position"] == pytest.approx(LAMP)


def test_abstaining_is_an_answer_with_status_0(command):
    done = command("ask", "where is the elephant?", "--json")
    assert done.status == 0
    assert done.json["abstained"] is True
    assert (done.json["position"], done.json["evidence"]) == (None, [])


def test_ask_reads_times_in_the_zone_given(command):
    # 09:05 to 09:07 UTC is 10:05 to 10:07 in Berlin
    asked = (
        "ask",
        "what did you see between 10:05 and 10:07?",
        "--now",
        "2026-03-03T12:00",
        "--json",
    )
    found = command(*asked, "--zone", "Europe/Berlin").json
    assert ids(found) == {"o6"}
    assert command(*asked).json["abstained"]


def test_ask_for_people_is_a_sentence_and_a_table(command):
    done = command("ask", "where is the mug?", "--now", "2026-03-03T10:00")
    assert done.out.startswith("The mug is ")
    assert "o10" in done.out
    assert "meaning" in done.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {f"o{n}" for n in range(12)}),
        (("--source", "camera"), {"o0", "o2", "o4", "o6", "o8", "o10"}),
        (("--source", "camera", "--source", "note"), {f"o{n}" for n in range(12)}),
        (("--robot", "bob", "--session", "run-1"), {"o7", "o9", "o11"}),
        (("--session", "run-0"), {f"o{n}" for n in range(6)}),
        (("--from", "2026-03-03T09:02", "--to", "2026-03-03T09:04"), {"o2", "o3", "o4"}),
        (("--from", "1772528400", "--to", "1772528400"), {"o0"}),
        (
            ("--from", "2026-03-03T10:02", "--to", "2026-03-03T10:03", "--zone", "Europe/Berlin"),
            {"o2", "o3"},
        ),
        (("--box=-0.1,-1,-1,1.1,1,1",), {"o0", "o1", "o2"}),
        (("--within", "0.6,2.5,0"), {"o4", "o5", "o6"}),
        (("--within", "0.6,2.5,0,50"), set()),
        (("--source", "nobody"), set()),
    ],
)
def test_recall_returns_exactly_what_passes_the_filters(command, options, expected):
    found = command("recall", "-k", "50", "--mode", "flat", "--json", *options).json
    assert ids(found) == expected
    assert found["considered"] == len(expected)


def test_recall_by_words_and_place(command):
    found = command("recall", "kettle", "-k", "3", "--mode", "flat", "--json").json
    assert len(found["evidence"]) == 3
    assert all("kettle" in item["text"] for item in found["evidence"])
    near = command("recall", "mug", "--near", "1,0.5,0.8", "--mode", "scene", "--json").json
    assert near["objects"][0]["position"] == pytest.approx(MUG)


def test_recall_for_people_says_how_many_were_considered(command):
    done = command("recall", "kettle", "-k", "2")
    assert done.out.startswith("2 of 12 considered")


def test_info_counts_what_is_there(command):
    found = command("info", "--json").json
    assert (found["observations"], found["acknowledged"]) == (12, 12)
    assert (found["sightings"], found["labels"], found["texts"]) == (18, 3, 6)
    assert found["span_ns"] == [START_NS, START_NS + 11 * MINUTE]
    assert found["recordings"][0]["complete"] is True
    people = command("info")
    assert "12 of 12 ever acknowledged" in people.out
    assert "kitchen.jsonl" in people.out


def test_ingest_twice_adds_nothing(run, memory, tmp_path):
    again = run(
        "ingest", tmp_path / "kitchen.jsonl", "--memory", memory, "--encoder", "hashing", "--json"
    )
    assert (again.status, again.json["added"], again.json["known"]) == (0, 0, 12)


def test_ingest_of_several_recordings_is_one_object(run, tmp_path):
    first = write_lines(tmp_path / "a.jsonl", lines()[:6])
    second = write_lines(tmp_path / "b.jsonl", lines()[6:])
    done = run("ingest", first, second, "--memory", tmp_path / "m", "--encoder", "none", "--json")
    assert [item["added"] for item in done.json["recordings"]] == [6, 6]


def test_ingest_counts_and_names_what_it_refuses(run, tmp_path):
    bad = [{"id": "x", "stamp_ns": -5, "text": "before time"}, {"id": "y", "text": "no stamp"}]
    path = write_lines(tmp_path / "bad.jsonl", [*lines()[:2], *bad])
    with path.open("a") as file:
        file.write("this is no JSON\n")
    done = run("ingest", path, "--memory", tmp_path / "m", "--encoder", "none", "--json")
    assert done.json["added"] == 2
    assert sum(done.json["refused"].values()) == 3
    assert len(done.json["refusals"]) == 3
    shown = run("info", "--memory", tmp_path / "m", "--encoder", "none", "--json").json
    assert sum(item["count"] for item in shown["refused"].values()) == 3


def test_forget_counts_first_and_then_removes_with_a_record(command):
    dry = command(
        "forget", "--id", "o1", "--id", "o3", "--reason", "private", "--dry-run", "--json"
    )
    assert dry.json == {"would_remove": 2}
    assert command("info", "--json").json["observations"] == 12
    done = command("forget", "--id", "o1", "--id", "o3", "--reason", "private", "--json")
    assert done.json["observations"] == 2
    after = command("info", "--json").json
    assert (after["observations"], after["removed"]["observations"]) == (10, 2)
    assert ids(command("recall", "-k", "50", "--mode", "flat", "--json").json).isdisjoint(
        {"o1", "o3"}
    )
    checked = command("verify", "--json")
    assert checked.status == 0
    assert (checked.json["stored"], checked.json["removed"], checked.json["acknowledged"]) == (
        10,
        2,
        12,
    )


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--older-than", "2026-03-03T09:06"), 6),
        (("--older-than", "1d"), 0),
        (("--older-than", "36500d"), 12),
        (("--source", "note"), 6),
        (("--from", "2026-03-03T09:10"), 10),
        (("--text", "kettle", "--min-weight", "0.1"), 6),
    ],
)
def test_forget_by_age_filter_or_words(command, options, left):
    command("forget", *options, "--reason", "test")
    assert command("info", "--json").json["observations"] == left


def test_a_backup_is_a_whole_memory(command, run, memory, tmp_path):
    target = tmp_path / "copy"
    assert command("backup", target, "--json").json == {"folder": str(target)}
    copied = run("verify", "--memory", target, "--encoder", "hashing", "--json")
    assert (copied.status, copied.json["stored"]) == (0, 12)


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_an_export_comes_back_equal(command, run, memory, tmp_path, name):
    target = tmp_path / name
    done = command("export", target, "--json").json
    assert (done["file"], done["observations"]) == (str(target), 12)
    again = tmp_path / "again"
    assert (
        run("import", target, "--memory", again, "--encoder", "hashing", "--json").json["added"]
        == 12
    )
    for folder in (memory, again):
        with RobotMemory.open(folder, read_only=True, text_encoder=None) as opened:
            found = opened.store.fetch(list(opened.store.rowids()))
            if folder == memory:
                wanted = [item.observation for item in found]
    assert [item.observation for item in found] == wanted


def test_an_export_is_lines_of_json(command, tmp_path):
    command("export", tmp_path / "all.jsonl.gz")
    with gzip.open(tmp_path / "all.jsonl.gz", "rt", encoding="utf-8") as file:
        assert all(isinstance(json.loads(line), dict) for line in file)


def test_an_mcap_export_can_be_read_by_its_own_library(command, tmp_path):
    from mcap.reader import make_reader

    target = tmp_path / "all.mcap"
    assert command("export", target, "--json").json["observations"] == 12
    with target.open("rb") as file:
        stamps = [message.log_time for _, _, message in make_reader(file).iter_messages()]
    assert {START_NS + number * MINUTE for number in range(12)} <= set(stamps)


def test_reembed_makes_every_vector_anew_with_another_model(run, memory):
    wrong = run("ask", "where is the mug?", "--memory", memory, "--json")
    assert (wrong.status, wrong.json["error"]) == (6, "encoder_mismatch")
    assert "reembed" in wrong.err
    done = run("reembed", "--memory", memory, "--encoder", "hashing", "--json")
    assert (done.status, done.json) == (0, {"vectors": 12})


def test_repair_leaves_a_sound_memory_alone(command):
    done = command("repair", "--json")
    assert done.status == 0
    assert done.json["damaged_file"] is None
    assert command("verify", "--json").json["stored"] == 12


def test_a_damaged_memory_is_told_repaired_and_on_record(run, tmp_path):
    folder = tmp_path / "memory"
    recording = write_lines(tmp_path / "long.jsonl", lines(600))
    options = ("--memory", folder, "--encoder", "none", "--json")
    assert run("ingest", recording, *options).json["added"] == 600
    database = folder / "memory.db"
    content = bytearray(database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8192] = b"\xa5" * 8192
    database.write_bytes(content)
    told = run("verify", *options)
    assert told.status == 5
    assert "memory_damaged" in told.err or told.json["problems"]
    repaired = run("repair", *options)
    assert repaired.status == 0
    assert repaired.json["recovered"] + repaired.json["lost"] == 600
    assert Path(repaired.json["damaged_file"]).exists()
    after = run("verify", *options)
    assert after.status == 0
    assert after.json["stored"] + after.json["removed"] == after.json["acknowledged"]
    assert run("info", *options).json["observations"] == repaired.json["recovered"]


def test_pictures_are_saved(run, tmp_path):
    from memory_core.types import Keyframe, Observation, Pose, Sighting

    jpeg = b"\xff\xd8\xff\xe0" + bytes(range(64)) + b"\xff\xd9"
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as opened:
        opened.observe(
            Observation(id="a/../b", stamp_ns=START_NS, pose=Pose(), keyframe=Keyframe(jpeg, 8, 8),
                        sightings=(Sighting("mug", (1.0, 0.0, 0.0)),))
        )  # fmt: skip
    options = ("--memory", tmp_path / "m", "--encoder", "none", "--json")
    picture = tmp_path / "mug.jpg"
    done = run("ask", "where is the mug?", "--keyframe", picture, *options)
    assert done.json["evidence"][0]["keyframe"] == "keyframe:a/../b"
    assert picture.read_bytes() == jpeg
    shown = run("info", "--keyframes", tmp_path / "pictures", *options)
    assert shown.json["keyframes_written"] == 1
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["a_.._b.jpg"]


def test_remembered_words_never_become_markup_or_terminal_codes(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    hostile = "[bold red]mug[/bold red] \x1b[31mPWNED\x1b[0m [link=http://x]y[/link] \u202etxt"
    write_lines(tmp_path / "x.jsonl", [{"id": "x", "stamp_ns": START_NS, "text": hostile}])
    options = ("--memory", tmp_path / "m", "--encoder", "none")
    run("ingest", tmp_path / "x.jsonl", *options)
    for done in (run("ask", "where is the mug?", *options), run("recall", "mug", *options)):
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
        assert "[bold red]mug[/bold red]" in done.out
    exact = run("recall", "mug", *options, "--json").json
    assert exact["evidence"][0]["text"] == hostile


def test_the_memory_can_be_named_by_the_environment(memory, monkeypatch, run):
    monkeypatch.setenv("ROBOT_MEMORY", str(memory))
    assert run("verify", "--encoder", "none", "--json").json["stored"] == 12


# -- recognise -------------------------------------------------------------------------------------


def test_recognise_says_where_a_picture_was_taken(run, tmp_path):
    draw = np.random.default_rng(5)
    pictures = [
        np.kron(draw.integers(0, 255, (24, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)
        for _ in range(3)
    ]
    with RobotMemory.open(tmp_path / "seen", text_encoder=None, gpu=False) as memory:
        memory.observe(
            Observation(
                f"o{number}", START_NS + number, source="camera",
                pose=Pose.from_yaw(3.0 * number, -1.0), keyframe=encode_jpeg(picture),
                embeddings=place_embedding(picture),
            )
            for number, picture in enumerate(pictures)
        )  # fmt: skip
    asked = tmp_path / "asked.jpg"
    asked.write_bytes(encode_jpeg(pictures[2]).jpeg)
    arguments = ("recognise", str(asked), "--memory", tmp_path / "seen")
    found = run(*arguments, "--json").json["found"]
    assert (found[0]["id"], found[0]["sure"]) == ("o2", True)
    assert found[0]["pose"] == pytest.approx([6.0, -1.0, 0.0, 0.0])
    done = run(*arguments)
    assert done.out.startswith("It was taken near 6.0, -1.0 of 'map'.")
    assert "o2" in done.out
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    refused = run("recognise", str(broken), "--memory", tmp_path / "seen")
    assert refused.status != 0
    assert "invalid_image" in refused.err


def test_recognise_in_a_memory_without_pictures_says_what_to_do(command, tmp_path):
    asked = tmp_path / "asked.jpg"
    asked.write_bytes(encode_jpeg(np.zeros((24, 32, 3), np.uint8)).jpeg)
    refused = command("recognise", str(asked))
    assert refused.status == 7
    assert "robot-memory ingest" in refused.err
