"""`robot-memory train detector`: renders homes, learns from them, writes the weights.

All that is made on the way is kept in a folder; what is there is not made again, so that a
training that was broken off goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from memory_core.errors import InvalidQuery
from memory_core.threads import one_thread
from memory_core.types import Json
from memory_sim.detecting.learning import Schedule, learn_to_name, learn_to_segment
from memory_sim.detecting.looks import Looks, looks_of
from memory_sim.detecting.network import Network, save
from memory_sim.detecting.views import Views, joined, views_of_home

FIRST_SEED = 100_000
"""Homes to learn from are numbered from here; those of evaluations are not among them."""
ABOUT = "about.json"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learned from, and how.

    Attributes:
        homes: How many.
        first_seed: Of the first; the others follow.
        pictures: Of each home.
        schedule: Of learning.
    """

    homes: int = 300
    first_seed: int = FIRST_SEED
    pictures: int = 20
    schedule: Schedule = field(default_factory=Schedule)


def train_detector(
    out: Path, folder: Path, *, lessons: Lessons | None = None, progress: Progress | None = None
) -> Json:
    """Train the network, on one thread, and write its weights.

    Args:
        out: The weights, `.safetensors`.
        folder: Keeps the pictures and how far learning has come.
        lessons: What is learned from, and how.
        progress: Told what is done, of how much, and what it is.

    Returns:
        What was learned from, how long each part took (seconds, none for what was there already)
        and the file's size.

    Raises:
        InvalidQuery: There is nothing to learn from, or the folder is of other lessons.
    """
    lessons = lessons if lessons is not None else Lessons()
    _claim(folder, lessons)
    schedule, seconds = lessons.schedule, {}

    def telling(what: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(done, total, what) if progress else None

    with one_thread():
        begun = time.perf_counter()
        views = _views(folder, lessons, telling("homes rendered"))
        seconds["rendering"] = time.perf_counter() - begun
        begun = time.perf_counter()
        segmenter = learn_to_segment(
            views, schedule, kept=folder / "segmenter.pt", progress=telling("steps of segmenting")
        )
        seconds["segmenting"] = time.perf_counter() - begun
        begun = time.perf_counter()
        at = folder / "looks.npz"
        if not at.exists():
            told = telling("pictures looked at")
            looks_of(segmenter, views, seed=schedule.seed, progress=told).save(at)
        looks = Looks.load(at)
        seconds["looking"] = time.perf_counter() - begun
        begun = time.perf_counter()
        namer = learn_to_name(
            looks, schedule, kept=folder / "namer.pt", progress=telling("steps of naming")
        )
        seconds["naming"] = time.perf_counter() - begun
    out.parent.mkdir(parents=True, exist_ok=True)
    save(Network(segmenter, namer), out, about={"lessons": json.dumps(asdict(lessons))})
    weights = out.read_bytes()
    return {
        "weights": str(out), "bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest(),
        "pictures": len(views), "things": len(views.things),
        "seconds": {part: round(spent, 1) for part, spent in seconds.items()},
        "lessons": asdict(lessons),
    }  # fmt: skip


def _claim(folder: Path, lessons: Lessons) -> None:
    """Write down which lessons a folder is of, or refuse others."""
    schedule = lessons.schedule
    counts = (lessons.homes, lessons.pictures, schedule.steps, schedule.naming_steps)
    if min(counts) < 1 or lessons.first_seed < 0 or schedule.seed < 0:
        raise InvalidQuery(
            f"{lessons.homes} homes from seed {lessons.first_seed}, {lessons.pictures} pictures, "
            f"{schedule.steps} and {schedule.naming_steps} steps, seed {schedule.seed}; expected "
            "1 or more of each, and seeds of 0 or more"
        )
    wanted = json.loads(json.dumps(asdict(lessons)))
    path = folder / ABOUT
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != wanted:
            raise InvalidQuery(
                f"{folder} holds a training with other numbers or another seed; take these again, "
                "or another folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


def _views(folder: Path, lessons: Lessons, told: Callable[[int, int], None]) -> Views:
    """The pictures of all homes; those that are not there are rendered."""
    found = []
    for number in range(lessons.homes):
        seed = lessons.first_seed + number
        path = folder / f"home-{seed}.npz"
        if not path.exists():
            views_of_home(seed, count=lessons.pictures).save(path)
        found.append(Views.load(path))
        told(number + 1, lessons.homes)
    return joined(found)
