"""Demonstrations as files: MCAP for looking at them, LeRobot-style Parquet for training on them.

MCAP: one file, which Foxglove opens. `/camera/CAMERA` are compressed pictures, `/proprioception`,
`/action` and `/instruction` JSON, each episode after the one before; its record of metadata holds
task, options and seed.

Parquet: a folder as LeRobot's format 2.1 lays it out: `data/chunk-000/episode_000000.parquet` with
`observation.state`, `observation.images.CAMERA` (PNG), `action`, `timestamp` and the counters, and
`meta/info.json`, `meta/episodes.jsonl`, `meta/episodes_stats.jsonl`, `meta/tasks.jsonl`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from memory_core.errors import NotInstalled, RecordingUnreadable
from memory_core.types import FloatArray, IntArray, Json
from memory_sim.tasks.table.demonstrations import Demonstration
from memory_sim.worlds.table.robot import CONTROL_HZ

_STEP_NS = 1_000_000_000 // CONTROL_HZ
_GAP_NS = 1_000_000_000
_METADATA = "demonstration"
_PICTURE = "foxglove.CompressedImage"
_LAYOUT = "v2.1"
_DATA = "data/chunk-{chunk:03d}/episode_{episode:06d}.parquet"
_CHUNK = 1000


def write_mcap(path: Path, demonstrations: Sequence[Demonstration]) -> None:
    """Write demonstrations into one file.

    Raises:
        NotInstalled: The package that writes MCAP is missing.
    """
    try:
        from mcap.writer import Writer
    except ImportError as error:
        raise NotInstalled.part("mcap", "recordings") from error
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="robot-memory")
        plain = writer.register_schema("robot_memory.Step", "jsonschema", b'{"type": "object"}')
        drawn = writer.register_schema(_PICTURE, "jsonschema", _PICTURE_SCHEMA)
        channels: dict[str, int] = {}
        start_ns = 0
        for number, each in enumerate(demonstrations):
            writer.add_metadata(
                _METADATA, {"json": json.dumps(_about(each)), "number": str(number)}
            )
            for topic, step, message in _messages(each, start_ns):
                if topic not in channels:
                    schema = drawn if topic.startswith("/camera/") else plain
                    channels[topic] = writer.register_channel(topic, "json", schema)
                stamp = start_ns + step * _STEP_NS
                data = json.dumps({"episode": number, "step": step} | message).encode()
                writer.add_message(channels[topic], stamp, data, stamp, step)
            start_ns += len(each.felt) * _STEP_NS + _GAP_NS
        writer.finish()


def read_mcap(path: Path) -> list[Demonstration]:
    """Read demonstrations back.

    Raises:
        NotInstalled: The package that reads MCAP is missing.
        RecordingUnreadable: It is not such a file.
    """
    try:
        from mcap.exceptions import McapError
        from mcap.reader import make_reader
    except ImportError as error:
        raise NotInstalled.part("mcap", "recordings") from error
    try:
        with path.open("rb") as file:
            reader = make_reader(file)
            abouts = {int(each.metadata["number"]): json.loads(each.metadata["json"])
                      for each in reader.iter_metadata() if each.name == _METADATA}  # fmt: skip
            found: dict[int, dict[str, list[Any]]] = {number: {} for number in abouts}
            for _, channel, message in reader.iter_messages(log_time_order=True):
                value = json.loads(message.data)
                found[value["episode"]].setdefault(channel.topic, []).append(value)
        return [_from_messages(abouts[number], found[number]) for number in sorted(abouts)]
    except (OSError, McapError, KeyError, ValueError) as error:
        raise RecordingUnreadable(f"{path} holds no demonstrations: {error}") from error


def write_parquet(folder: Path, demonstrations: Sequence[Demonstration]) -> None:
    """Write demonstrations into a folder.

    Raises:
        NotInstalled: PyArrow is missing.
    """
    arrow, parquet = _arrow()
    tasks = sorted({told for each in demonstrations for told in each.instructions})
    frames, numbers = 0, []
    for number, each in enumerate(demonstrations):
        target = folder / _DATA.format(chunk=number // _CHUNK, episode=number)
        target.parent.mkdir(parents=True, exist_ok=True)
        count = len(each.actions)
        columns: dict[str, Any] = {
            "observation.state": list(each.felt[:count]), "action": list(each.actions),
            "timestamp": np.arange(count, dtype=np.float32) / CONTROL_HZ,
            "frame_index": np.arange(count), "episode_index": np.full(count, number),
            "index": frames + np.arange(count),
            "task_index": np.array([tasks.index(told) for told in each.instructions[:count]]),
            "next.done": np.arange(count) == count - 1,
            "next.success": (np.arange(count) == count - 1) & each.success,
        }  # fmt: skip
        for camera, pictures in each.pictures.items():
            columns[f"observation.images.{camera}"] = [
                {"bytes": _png(picture), "path": None} for picture in pictures[:count]
            ]
        parquet.write_table(arrow.table(columns), target)
        numbers.append({"episode_index": number, "stats": _statistics(columns, each)})
        frames += count
    meta = folder / "meta"
    meta.mkdir(parents=True, exist_ok=True)
    rows = [
        {"episode_index": n, "tasks": sorted(set(each.instructions)), "length": len(each.actions),
         "demonstration": _about(each), "last": _last(each)}
        for n, each in enumerate(demonstrations)
    ]  # fmt: skip
    _write_lines(meta / "episodes.jsonl", rows)
    _write_lines(meta / "episodes_stats.jsonl", numbers)
    _write_lines(meta / "tasks.jsonl", [{"task_index": n, "task": t} for n, t in enumerate(tasks)])
    info = json.dumps(_info(demonstrations, frames=frames, tasks=len(tasks)), indent=2)
    (meta / "info.json").write_text(info, encoding="utf-8")


def read_parquet(folder: Path) -> list[Demonstration]:
    """Read demonstrations back.

    Raises:
        NotInstalled: PyArrow is missing.
        RecordingUnreadable: It is not such a folder.
    """
    arrow, parquet = _arrow()
    try:
        tasks = [row["task"] for row in _read_lines(folder / "meta/tasks.jsonl")]
        return [
            _from_table(
                row, parquet.read_table(folder / _DATA.format(chunk=n // _CHUNK, episode=n)), tasks
            )
            for n, row in enumerate(_read_lines(folder / "meta/episodes.jsonl"))
        ]
    except (OSError, arrow.ArrowInvalid, KeyError, ValueError) as error:
        raise RecordingUnreadable(f"{folder} holds no demonstrations: {error}") from error


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise NotInstalled.part("pyarrow", "sim") from error
    return pyarrow, pyarrow.parquet


def _about(each: Demonstration) -> Json:
    return {"task": each.task, "options": each.options, "seed": each.seed, "success": each.success}


def _messages(each: Demonstration, start_ns: int) -> Iterator[tuple[str, int, Json]]:
    """Topic, step and message, in order of time."""
    for step, (felt, told) in enumerate(zip(each.felt, each.instructions, strict=True)):
        yield "/proprioception", step, {"felt": felt.tolist()}
        yield "/instruction", step, {"text": told}
        stamp = start_ns + step * _STEP_NS
        for camera, pictures in each.pictures.items():
            yield f"/camera/{camera}", step, {
                "timestamp": {"sec": stamp // 10**9, "nsec": stamp % 10**9}, "frame_id": camera,
                "format": "png", "data": base64.b64encode(_png(pictures[step])).decode(),
            }  # fmt: skip
        if step < len(each.actions):
            yield "/action", step, {"action": each.actions[step].tolist()}


def _from_messages(about: Json, topics: dict[str, list[Any]]) -> Demonstration:
    return Demonstration(
        about["task"], about["options"], about["seed"],
        np.array([value["action"] for value in topics["/action"]], np.float32),
        np.array([value["felt"] for value in topics["/proprioception"]], np.float32),
        tuple(value["text"] for value in topics["/instruction"]),
        {topic.removeprefix("/camera/"): np.array([_picture(base64.b64decode(v["data"])) for v in values])
         for topic, values in topics.items() if topic.startswith("/camera/")},
        about["success"],
    )  # fmt: skip


def _last(each: Demonstration) -> Json:
    """The observation after the last action, for which a row has no place."""
    pictures = {
        camera: base64.b64encode(_png(seen[-1])).decode() for camera, seen in each.pictures.items()
    }
    return {"felt": each.felt[-1].tolist(), "told": each.instructions[-1], "pictures": pictures}


def _from_table(row: Json, table: Any, tasks: Sequence[str]) -> Demonstration:
    about, last, columns = row["demonstration"], row["last"], table.to_pydict()
    told = (*(tasks[index] for index in columns["task_index"]), last["told"])
    pictures = {
        camera: np.array([
            *(_picture(each["bytes"]) for each in columns[f"observation.images.{camera}"]),
            _picture(base64.b64decode(data)),
        ])
        for camera, data in last["pictures"].items()
    }  # fmt: skip
    felt = np.array([*columns["observation.state"], last["felt"]], np.float32)
    return Demonstration(
        about["task"], about["options"], about["seed"], np.array(columns["action"], np.float32), felt,
        told, pictures, about["success"],
    )  # fmt: skip


def _statistics(columns: Json, each: Demonstration) -> Json:
    """Of each feature of an episode, as training normalises by them; pictures from 0 to 1."""
    found: dict[str, Json] = {}
    for name, values in columns.items():
        if not name.startswith("observation.images."):
            found[name] = _moments(np.array(values, np.float64).reshape(len(values), -1))
    for camera, pictures in each.pictures.items():
        shares = _moments(pictures[: len(each.actions)].reshape(-1, 3) / 255)
        found[f"observation.images.{camera}"] = {
            name: [len(each.actions)] if name == "count" else [[[value]] for value in values]
            for name, values in shares.items()
        }
    return found


def _moments(rows: FloatArray) -> dict[str, list[float]]:
    return {
        "min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist(),
        "mean": rows.mean(axis=0).tolist(), "std": rows.std(axis=0).tolist(), "count": [len(rows)],
    }  # fmt: skip


def _info(demonstrations: Sequence[Demonstration], *, frames: int, tasks: int) -> Json:
    first = demonstrations[0]
    features: dict[str, Json] = {
        "observation.state": {"dtype": "float32", "shape": list(first.felt.shape[1:])},
        "action": {"dtype": "float32", "shape": list(first.actions.shape[1:])},
        "next.done": {"dtype": "bool", "shape": [1]}, "next.success": {"dtype": "bool", "shape": [1]},
        "timestamp": {"dtype": "float32", "shape": [1]},
    }  # fmt: skip
    for name in ("frame_index", "episode_index", "index", "task_index"):
        features[name] = {"dtype": "int64", "shape": [1]}
    for feature in features.values():
        feature["names"] = None
    for camera, pictures in first.pictures.items():
        features[f"observation.images.{camera}"] = {
            "dtype": "image", "shape": list(pictures.shape[1:]),
            "names": ["height", "width", "channel"],
        }  # fmt: skip
    count = len(demonstrations)
    return {
        "codebase_version": _LAYOUT, "robot_type": "franka_panda", "fps": CONTROL_HZ,
        "total_episodes": count, "total_frames": frames, "total_tasks": tasks,
        "total_videos": 0, "video_path": None,
        "total_chunks": (count - 1) // _CHUNK + 1, "chunks_size": _CHUNK,
        "splits": {"train": f"0:{count}"}, "features": features,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    }  # fmt: skip


def _png(picture: IntArray) -> bytes:
    return bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())


def _picture(png: bytes) -> IntArray:
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("a picture cannot be decoded")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def _write_lines(path: Path, rows: Sequence[Json]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _read_lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


_PICTURE_SCHEMA = json.dumps({
    "type": "object", "title": _PICTURE,
    "properties": {
        "timestamp": {"type": "object", "title": "time",
                      "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}},
        "frame_id": {"type": "string"}, "format": {"type": "string"},
        "data": {"type": "string", "contentEncoding": "base64"},
    },
}).encode()  # fmt: skip
