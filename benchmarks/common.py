"""What the benchmarks share: a robot's log to remember, the machine's name, numbers and targets."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import os
import platform
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

DIMENSION = 384
FIRST_STAMP_NS = 1_700_000_000 * 10**9
SECOND_NS = 10**9
BUILDING_M = (40.0, 30.0)
FLOOR_M = 3.0
FLOORS = 2
SPEED_M = 0.5


def seeds_of(text: str) -> range:
    """The seeds that an option names, "100-111" or "7", the last one included."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _listed(text: str) -> list[str]:
    return text.split(",")


_COLOURS = _listed(
    "red,blue,green,yellow,white,black,grey,brown,orange,purple,pink,wooden,metal,glass,plastic,"
    "ceramic,small,large,old,new,broken,dusty,striped,folded,open,empty"
)
_THINGS = _listed(
    "mug,chair,table,lamp,book,laptop,printer,plant,trash bin,whiteboard,door,window,sofa,shelf,"
    "box,suitcase,bicycle,fire extinguisher,first aid kit,toolbox,ladder,monitor,keyboard,"
    "backpack,jacket,umbrella,bottle,plate,fridge,microwave,kettle,sink,mirror,towel,bed,pillow,"
    "carpet,cart,forklift,pallet,cable reel,charging dock,camera,speaker,clock,poster,"
    "vending machine,water cooler,person sitting,person walking,child,dog,cat,cleaning robot,"
    "bucket,mop,spill of water,pile of paper,stack of crates,shoe,helmet,safety vest,screwdriver,"
    "drill,battery pack,phone,cup of coffee,bowl of fruit,apple,banana,sandwich,flower vase,"
    "curtain,radiator,stair railing,elevator panel,exit sign,coat rack,filing cabinet"
)
_RELATIONS = _listed(
    "on the,near the,under the,behind the,next to the,in front of the,leaning on the,"
    "between the door and the"
)
_PLACES = _listed(
    "kitchen table,reception desk,meeting room wall,corridor corner,storage shelf,loading bay,"
    "stairwell,bathroom sink,lab bench,workshop floor,server rack,balcony,copy machine,"
    "lift doors,lobby sofa,canteen counter,parking ramp,window of the office,library shelves,"
    "archive room entrance,roof terrace,nursery,garden door,chemical cabinet"
)
_ENDS = (
    "",
    "",
    " near the window",
    " with a sticker on it",
    " half hidden in shadow",
    " and a warning label",
    " that was moved recently",
    " under a bright light",
    " seen from far away",
    " blocking the way",
)
QUESTIONS = (
    "where is my coffee mug",
    "something to put out a fire",
    "a place to sit down",
    "find the tool to fix a screw",
    "person near the elevator",
    "wet floor hazard",
    "anything edible",
    "a device to charge the robot",
    "where can I throw garbage",
    "blue backpack left in the lobby",
    "an animal",
    "medical supplies",
    "how do I leave the building",
    "a drink machine",
    "something to read",
    "a computer on a bench",
    "clothes hanging",
    "a heavy load on a pallet",
    "plants by the window",
    "a place to wash hands",
    "tall red object blocking the corridor",
    "broken glass",
    "an open door",
    "the clock on the wall",
    "a bike parked inside",
    "paper documents",
    "a mirror in the bathroom",
    "toys of a child",
    "two people talking",
    "a cardboard package for delivery",
)


def say(text: str) -> None:
    """One line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)


class Bar:
    """A progress bar on standard error that draws only when told: no thread beside the timing."""

    def __init__(self, label: str, total: int) -> None:
        """Show nothing yet; without rich, or without a terminal, one line stands for it."""
        self._bar: Any = None
        try:
            from rich.console import Console
            from rich.progress import Progress
        except ImportError:
            say(label)
            return
        if not sys.stderr.isatty():
            say(label)
            return
        self._bar = Progress(console=Console(stderr=True), auto_refresh=False)
        self._bar.start()
        self._task = self._bar.add_task(label.strip(), total=total)

    def show(self, done: int) -> None:
        """Draw it."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, refresh=True)

    def close(self) -> None:
        """Leave it as it is."""
        if self._bar is not None:
            self._bar.stop()


# -- data ---------------------------------------------------------------------------------------


def descriptions(count: int, *, seed: int) -> list[str]:
    """Distinct sentences of what a robot sees, the same for the same seed.

    Args:
        count: How many.
        seed: Of the choice of words.
    """
    chance = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        sentence = (
            f"a {chance.choice(_COLOURS)} {chance.choice(_THINGS)} {chance.choice(_RELATIONS)} "
            f"{chance.choice(_PLACES)}{chance.choice(_ENDS)}"
        )
        made[sentence] = None
    return list(made)


def encode(sentences: Sequence[str], cache: Path) -> Floats:
    """Sentence embeddings, kept in a folder because they take minutes to make.

    Args:
        sentences: n sentences.
        cache: The folder.

    Returns:
        Shape (n, 384), float32, rows of length 1.
    """
    from memory_core.perception.text import SentenceEncoder

    encoder = SentenceEncoder()
    key = hashlib.sha256("\n".join([encoder.space.revision, *sentences]).encode()).hexdigest()
    path = cache / f"sentences-{key[:16]}.npy"
    if path.exists():
        return np.asarray(np.load(path))
    parts = []
    for start in range(0, len(sentences), 1_000):
        say(f"encoding sentences: {start:,} of {len(sentences):,} (kept in {cache})")
        parts.append(encoder.encode(sentences[start : start + 1_000]))
    vectors = np.concatenate(parts)
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.npy")
    np.save(temporary, vectors)
    temporary.replace(path)
    return vectors


def unit(vectors: Floats) -> Floats:
    """Rows at length 1, float32."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def wander(count: int, *, seed: int) -> Floats:
    """Positions, one a second, of a robot going from goal to goal in a building of two floors.

    Args:
        count: How many positions.
        seed: Of the goals and of the jitter.

    Returns:
        Shape (count, 3), metres, float64.
    """
    chance = np.random.default_rng(seed)
    path, done = np.empty((count, 3)), 0
    at, floor = np.array(BUILDING_M) / 2, 0
    while done < count:
        goal = chance.random(2) * BUILDING_M
        steps = max(1, int(np.linalg.norm(goal - at) / SPEED_M))
        taken = min(steps, count - done)
        share = np.arange(1, taken + 1)[:, None] / steps
        path[done : done + taken, :2] = at + (goal - at) * share
        path[done : done + taken, 2] = floor * FLOOR_M
        done, at = done + taken, goal
        if chance.random() < 0.05:
            floor = (floor + 1) % FLOORS
    path += chance.normal(0, 0.1, path.shape)
    return path


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of a log: numbers, stamps, positions, sentences, unit vectors."""

    numbers: range
    stamps: Ints
    positions: Floats
    texts: list[str]
    vectors: Floats


@dataclass(frozen=True, slots=True)
class Log:
    """What a robot saw, made piece by piece, so that a million rows need not be held.

    Attributes:
        positions: Shape (n, 3), metres.
        picks: Shape (n,): which description each row says; what is seen depends on where.
        sentences: The descriptions.
        base: Their vectors, shape (m, 384); None makes every vector random (Gaussian).
        sigma: Standard deviation of the noise on each of the 384 numbers.
        seed: Of the noise.
    """

    positions: Floats
    picks: Ints
    sentences: list[str]
    base: Floats | None
    sigma: float
    seed: int

    def __len__(self) -> int:
        """Rows."""
        return len(self.positions)

    @property
    def stamps(self) -> Ints:
        """One a second, shape (n,), nanoseconds."""
        return FIRST_STAMP_NS + np.arange(len(self), dtype=np.int64) * SECOND_NS

    def batch(self, start: int, stop: int) -> Batch:
        """Rows from `start` up to `stop`; the same call gives the same vectors."""
        stop = min(stop, len(self))
        chance = np.random.default_rng([self.seed, start])
        noise = chance.standard_normal((stop - start, DIMENSION), dtype=np.float32)
        picks = self.picks[start:stop]
        raw = noise if self.base is None else self.base[picks] + noise * np.float32(self.sigma)
        stamps = FIRST_STAMP_NS + np.arange(start, stop, dtype=np.int64) * SECOND_NS
        texts = [self.sentences[pick] for pick in picks]
        return Batch(range(start, stop), stamps, self.positions[start:stop], texts, unit(raw))


def make_log(
    count: int, sentences: list[str], base: Floats | None, *, sigma: float, seed: int
) -> Log:
    """A log in which every square metre of the building has its own handful of descriptions.

    Args:
        count: Rows.
        sentences: Descriptions.
        base: Their vectors; None for random ones.
        sigma: Noise on each number.
        seed: Of the path, the choice and the noise.
    """
    positions = wander(count, seed=seed)
    wide, deep = (int(side) for side in BUILDING_M)
    x = np.clip(positions[:, 0], 0, wide - 1).astype(np.int64)
    y = np.clip(positions[:, 1], 0, deep - 1).astype(np.int64)
    floor = (positions[:, 2] > FLOOR_M / 2).astype(np.int64)
    each = max(1, len(sentences) // (wide * deep * FLOORS))
    chance = np.random.default_rng([seed, 1])
    picks = ((x * deep + y) * FLOORS + floor) * each + chance.integers(0, each, count)
    return Log(positions, picks % len(sentences), sentences, base, sigma, seed)


# -- numbers ------------------------------------------------------------------------------------


def parse_size(text: str) -> int:
    """`10k`, `1M` or `2500` as a number."""
    factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    return int(float(text[:-1] if factor > 1 else text) * factor)


def size_name(count: int) -> str:
    """A number as `10k` or `1M`."""
    for factor, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= factor and count % factor == 0:
            return f"{count // factor}{letter}"
    return str(count)


def spread(values: Sequence[float] | Floats) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = np.quantile(np.asarray(values, np.float64), (0.25, 0.5, 0.75))
    return {"median": rounded(middle), "q1": rounded(low), "q3": rounded(high)}


def latency(seconds: Sequence[float] | Floats) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    middle, late, latest = np.quantile(np.asarray(seconds, np.float64) * 1e3, (0.5, 0.95, 0.99))
    return {"p50_ms": rounded(middle), "p95_ms": rounded(late), "p99_ms": rounded(latest)}


def rounded(value: float) -> float:
    """Four significant digits."""
    value = float(value)
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, 3 - math.floor(math.log10(abs(value))))


@dataclass(frozen=True, slots=True)
class Target:
    """A number that was aimed at: `value` must not be above (or below) `limit`."""

    what: str
    value: float
    limit: float
    above: bool = False

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.value >= self.limit if self.above else self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        """The object in `targets`."""
        return {**asdict(self), "met": self.met}


# -- machine and output -------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was."""
    wanted = ("numpy", "apsw", "faiss-cpu", "faiss-gpu-cu12", "torch", "emem", "lancedb")
    versions = {}
    for name in wanted:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "packages": versions,
        "code": code_version(),
    }


def code_version() -> str:
    """Which code was measured: half a SHA-256 over the sources of `memory_core`."""
    import memory_core

    digest = hashlib.sha256()
    for path in sorted(Path(memory_core.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def resident_bytes() -> dict[str, int]:
    """This process's resident memory: all of it, and the part that is not mapped files."""
    found = {}
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "RssAnon"):
            found[name] = int(rest.split()[0]) * 1024
    return found


def today() -> str:
    """The moment of the run, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def print_json(result: dict[str, Any]) -> None:
    """One object on standard output."""
    print(json.dumps(result, ensure_ascii=False))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; plain columns where rich is not installed."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(f"\n{title}")
        for row in (header, *rows):
            print("  ".join(f"{cell:>14}" for cell in row))
        return
    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def print_targets(targets: Sequence[Target]) -> None:
    """What was aimed at, and whether it was reached."""
    rows = [
        (
            target.what,
            f"{rounded(target.value):,}",
            f"{'≥' if target.above else '≤'} {target.limit:,}",
            "met" if target.met else "MISSED",
        )
        for target in targets
    ]
    print_table("Targets", ("what", "measured", "target", ""), rows)
