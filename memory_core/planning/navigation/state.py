"""What a localiser knows, kept between days in one folder.

`localiser.json` names the anchors, the links between them and one file of arrays, with its
checksum; beside them lie the floors' maps for nav2 and RViz (`floor_0.yaml`, `floor_0.pgm`, …),
which are for reading only. The arrays are written under a new name before the JSON is replaced,
so that a power cut leaves the state before or the state after.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.errors import FormatUnsupported, MemoryDamaged, MemoryMissing
from memory_core.planning.body import Scan
from memory_core.planning.navigation.atlas import Atlas, Frame, Submap
from memory_core.planning.navigation.files import save_map, write_atomically
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.localisation import Candidates, Localiser
from memory_core.planning.navigation.planar import Planar
from memory_core.planning.navigation.posegraph import Link
from memory_core.types import FloatArray, Pose

FORMAT = 1
_STATE = "localiser.json"


def save_state(localiser: Localiser, folder: Path) -> None:
    """Write everything a localiser needs to go on another day, and the maps for nav2.

    Args:
        localiser: Of the robot.
        folder: Made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    atlas = localiser.atlas
    frames = [frame for submap in atlas.submaps.values() for frame in submap.frames]
    arrays: dict[str, Any] = {
        "angles": _joined([frame.scan.angles for frame in frames]),
        "ranges": _joined([frame.scan.ranges_m for frame in frames]),
        "counts": np.array([len(frame.scan.angles) for frame in frames], np.int64),
        "reaches": np.array([frame.scan.range_m for frame in frames]),
        "poses": np.array([frame.pose for frame in frames]).reshape(-1, 3),
        "numbers": np.array([frame.number for frame in frames], np.int64),
    }
    for floor, grid in enumerate(atlas.grids):
        arrays[f"scan_{floor}"] = grid.scan_odds
        arrays[f"depth_{floor}"] = grid.depth_odds
        save_map(grid, folder, name=f"floor_{floor}")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    content = buffer.getvalue()
    checksum = hashlib.sha256(content).hexdigest()
    name = f"localiser-{checksum[:16]}.npz"
    write_atomically(folder / name, content)
    state = {
        "format": FORMAT,
        "map_id": localiser.map_id,
        "heights_m": atlas.heights_m,
        "arrays": name,
        "sha256": checksum,
        "corners": [grid.corner for grid in atlas.grids],
        "submaps": [
            {"anchor": s.anchor_id, "floor": s.floor, "pose": s.pose, "frames": len(s.frames)}
            for s in atlas.submaps.values()
        ],
        "links": [
            {
                "start": link.start,
                "end": link.end,
                "pose": link.pose,
                "information": link.information.tolist(),
            }
            for link in atlas.links
        ],
        "told": {
            anchor: (*pose.position, *pose.quaternion) for anchor, pose in localiser.told.items()
        },
    }
    write_atomically(folder / _STATE, json.dumps(state, indent=1).encode())
    for old in folder.glob("localiser-*.npz"):
        if old.name != name:
            old.unlink()


def load_state(
    folder: Path, *, start: Pose | None = None, candidates: Candidates = lambda: ()
) -> Localiser:
    """Go on with a map made before.

    Args:
        folder: Where `save_state` wrote.
        start: The base in the map where that is known (a dock); checked by the first scans. None
            searches the whole map with the first scan.
        candidates: See `Localiser`.

    Returns:
        A localiser; not localised before its first scan fits.

    Raises:
        MemoryMissing: Nothing was saved there.
        MemoryDamaged: A file is missing, cut off or changed. Begin a new map under another
            `map_id`: what was remembered in the old one must not be mixed with it.
        FormatUnsupported: Written by a newer version.
    """
    path = folder / _STATE
    if not path.exists():
        raise MemoryMissing(f"{folder} holds no {_STATE}; drive with a new map and save it there")
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        version = int(state["format"])
        if version > FORMAT:
            raise FormatUnsupported(f"{path} has format {version}; this version reads {FORMAT}")
        content = (folder / Path(state["arrays"]).name).read_bytes()
        if hashlib.sha256(content).hexdigest() != state["sha256"]:
            raise ValueError(f"{state['arrays']} is not what was written")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            atlas = _atlas(state, arrays)
        told = {anchor: Pose(*map(float, pose)) for anchor, pose in state["told"].items()}
        map_id = str(state["map_id"])
    except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise MemoryDamaged(
            f"the map in {folder} cannot be read ({error!r}). Restore the folder, or map the "
            "house anew under another map_id."
        ) from error
    return Localiser(map_id=map_id, start=start, candidates=candidates, atlas=atlas, told=told)


def _joined(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([*parts, np.zeros(0)]).astype(np.float32)


def _atlas(state: dict[str, Any], arrays: Any) -> Atlas:
    atlas = Atlas(heights_m=[float(height) for height in state["heights_m"]])
    ends = np.cumsum(arrays["counts"])[:-1]
    angles = np.split(arrays["angles"].astype(np.float64), ends)
    ranges = np.split(arrays["ranges"].astype(np.float64), ends)
    frames = [
        Frame(int(number), _planar(pose), Scan(angle, reach, float(far)))
        for number, pose, angle, reach, far in zip(
            arrays["numbers"], arrays["poses"], angles, ranges, arrays["reaches"], strict=False
        )
    ]
    if len(frames) != len(arrays["counts"]):
        raise ValueError("scans and their poses do not match")
    at = 0
    for entry in state["submaps"]:
        submap = Submap(str(entry["anchor"]), int(entry["floor"]), _planar(entry["pose"]))
        mine = frames[at : at + int(entry["frames"])]
        at += len(mine)
        for frame in sorted(mine, key=lambda frame: frame.number):
            submap.add(frame)
        atlas.submaps[submap.anchor_id] = submap
    atlas.resume(frames)
    for entry in state["links"]:
        information = np.array(entry["information"], float).reshape(3, 3)
        link = Link(str(entry["start"]), str(entry["end"]), _planar(entry["pose"]), information)
        if not {link.start, link.end} <= set(atlas.submaps):
            raise ValueError(f"a link names an unknown anchor: {link.start} to {link.end}")
        atlas.links.append(link)
    for floor, corner in enumerate(state["corners"]):
        atlas.grids[floor] = OccupancyGrid.from_odds(
            arrays[f"scan_{floor}"],
            arrays[f"depth_{floor}"],
            corner=(int(corner[0]), int(corner[1])),
        )
    return atlas


def _planar(values: Sequence[float]) -> Planar:
    x, y, yaw = (float(value) for value in values)
    return (x, y, yaw)
