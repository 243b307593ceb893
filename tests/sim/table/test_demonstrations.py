"""Demonstrations: recorded, written, read back and played again as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

from memory_core.errors import RecordingUnreadable
from memory_sim.tasks.table.demonstration_files import (
    read_mcap,
    read_parquet,
    write_mcap,
    write_parquet,
)
from memory_sim.tasks.table.demonstrations import Recorder, play_again
from tests.sim.table.hand import Hand, made

WAYS = {"mcap": (write_mcap, read_mcap), "parquet": (write_parquet, read_parquet)}


@pytest.fixture(scope="module")
def recorded():
    """Two episodes: a peg turned blindly until time is up, and a cup touched."""
    found = []
    for name, seed in (("MIKASA/RotateLenientPos-v0", 4), ("MIKASA/ShellGameTouch-v0", 5)):
        env = Recorder(made(name, cameras=("wrist",), privileged=name.startswith("MIKASA/Shell")))
        hand = Hand(env, seed)
        if "things" in hand.info.get("state", {}):
            hand.wait_for_choice()
            hand.touch(hand.answer["things"][0], above=0.07)
        else:
            hand.go(0.5, 0.1, 0.05)
            hand.wait(90)
        found += env.demonstrations
        env.close()
    return found


def same(one, other):
    assert (one.task, one.options, one.seed, one.success) == (other.task, other.options, other.seed, other.success)  # fmt: skip
    assert one.instructions == other.instructions
    assert (one.actions == other.actions).all()
    assert (one.felt == other.felt).all()
    assert one.pictures.keys() == other.pictures.keys()
    assert all((one.pictures[c] == other.pictures[c]).all() for c in one.pictures)


def test_an_episode_is_kept_whole(recorded):
    peg, cup = recorded
    assert (peg.success, cup.success) == (False, True)
    assert peg.actions.shape == (90, 7)
    assert peg.felt.shape == (91, 31)
    assert peg.pictures["wrist"].shape == (91, 128, 128, 3)
    assert len(set(peg.instructions)) == 2


@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_is_what_was_written(recorded, tmp_path, way):
    write, read = WAYS[way]
    write(tmp_path / "all", recorded)
    for one, other in zip(recorded, read(tmp_path / "all"), strict=True):
        same(one, other)


def test_played_again_from_a_file_it_happens_again(recorded, tmp_path):
    write_mcap(tmp_path / "cup.mcap", recorded[1:])
    (cup,) = read_mcap(tmp_path / "cup.mcap")
    same(play_again(cup), cup)


def test_another_seed_does_not_give_the_same_episode(recorded):
    env = made(f"{recorded[1].task}-v0", cameras=("wrist",), privileged=False)
    other = Recorder(env)
    other.reset(seed=recorded[1].seed + 1)
    assert (other._running.seen[0]["proprioception"] != recorded[1].felt[0]).any()
    env.close()


def test_parquet_has_the_columns_that_lerobot_reads(recorded, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(tmp_path, recorded)
    table = parquet.read_table(tmp_path / "data/chunk-000/episode_000001.parquet")
    assert {"observation.state", "action", "timestamp", "frame_index", "episode_index", "index",
            "task_index", "next.done", "observation.images.wrist"} <= set(table.column_names)  # fmt: skip
    rows = table.to_pydict()
    count = len(recorded[1].actions)
    assert rows["frame_index"] == list(range(count))
    assert rows["index"] == list(range(90, 90 + count))
    assert rows["next.done"] == [False] * (count - 1) + [True]
    assert rows["timestamp"][10] == pytest.approx(0.5)
    lines = (tmp_path / "meta/episodes_stats.jsonl").read_text(encoding="utf-8").splitlines()
    stats = json.loads(lines[1])["stats"]
    assert stats["action"]["mean"] == pytest.approx(
        recorded[1].actions.mean(axis=0).tolist(), abs=1e-6
    )
    seen = recorded[1].pictures["wrist"][:count] / 255
    assert np.array(stats["observation.images.wrist"]["mean"]).shape == (3, 1, 1)
    assert stats["observation.images.wrist"]["max"][0][0][0] == pytest.approx(seen[..., 0].max())
    info = json.loads((tmp_path / "meta/info.json").read_text(encoding="utf-8"))
    assert (info["fps"], info["total_episodes"], info["total_frames"]) == (20, 2, 90 + count)
    assert info["features"]["action"]["shape"] == [7]
    assert (tmp_path / info["data_path"].format(episode_chunk=0, episode_index=1)).exists()


def test_messages_carry_the_time_of_their_step(recorded, tmp_path):
    reader = pytest.importorskip("mcap.reader")
    write_mcap(tmp_path / "all.mcap", recorded)
    with (tmp_path / "all.mcap").open("rb") as file:
        stamps = [m.log_time for _, channel, m in reader.make_reader(file).iter_messages() if channel.topic == "/action"]  # fmt: skip
    assert np.diff(stamps[:90]).tolist() == [50_000_000] * 89
    assert stamps[90] > stamps[89] + 1_000_000_000


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_demonstration_is_refused(tmp_path, way):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/tasks.jsonl").write_text("no json\n", encoding="utf-8")
    (tmp_path / "file").write_bytes(b"not at all")
    for wrong in (tmp_path / "missing", tmp_path / "file", tmp_path):
        with pytest.raises(RecordingUnreadable):
            WAYS[way][1](wrong)
