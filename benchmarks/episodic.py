"""Episodic memory: durable ingest and filtered recall, beside peers and the simplest code.

    python -m benchmarks.episodic --sizes 10k,100k --peers emem,lancedb

Every contestant gets the same rows and the same questions in the same run. Recall is asked twice:
first this memory alone (its latency), then question by question with everybody else (the ratios).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks import asking
from benchmarks.common import (
    DIMENSION,
    QUESTIONS,
    SECOND_NS,
    Bar,
    Batch,
    Floats,
    Ints,
    Log,
    Target,
    descriptions,
    encode,
    latency,
    machine,
    make_log,
    parse_size,
    print_json,
    print_table,
    print_targets,
    resident_bytes,
    rounded,
    say,
    size_name,
    spread,
    today,
    unit,
)
from memory_core import Box, Filters, Observation, Pose, Query, RobotMemory, TimeSpan
from memory_core.episodic.vectors import CpuIndex

FRACTIONS = (0.001, 0.01, 0.1, 1.0)
K = 10
SENTENCES = 21_000
HELD_OUT = 500
SINGLES = 60
PEER_LIMIT_S = 600.0
PROBE_QUERIES = 50
WARM_UP = 5
QUERY_SIGMA = 0.0025


@dataclass(frozen=True, slots=True)
class Question:
    """A meaning within a span and a box, bounds included."""

    vector: Floats
    start_ns: int
    end_ns: int
    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def query(self) -> Query:
        """The same for `RobotMemory.recall`."""
        return Query(vectors={"text": self.vector}, filters=self.filters(), k=K)

    def filters(self) -> Filters:
        """The conditions alone."""
        return Filters(span=TimeSpan(self.start_ns, self.end_ns), region=Box(self.low, self.high))


# -- contestants --------------------------------------------------------------------------------


class Contestant(Protocol):
    """Something rows are written to; `prepare` is not timed, `ingest` is."""

    name: str
    guarantee: str

    def prepare(self, batch: Batch) -> Any:
        """Turn rows into what this contestant takes."""

    def ingest(self, prepared: Any) -> None:
        """Write, and return when it is as safe as the guarantee says."""

    def close(self) -> None:
        """Let go of everything."""


class Recaller(Protocol):
    """Something that answers questions with row numbers, best first."""

    name: str

    def recall(self, question: Question) -> list[int]:
        """At most K row numbers."""


class ThisMemory:
    """The memory under test, opened as any program opens it, without a text encoder."""

    name = "this memory"
    guarantee = "fsync before it returns; page checksums; searchable at once"

    def __init__(self, folder: Path) -> None:
        """Make a memory in a folder."""
        self.memory = RobotMemory.open(folder, text_encoder=None)

    def prepare(self, batch: Batch) -> list[Observation]:
        """Observations, as a robot's program would make them."""
        return [
            Observation(
                id=f"row-{number}",
                stamp_ns=int(stamp),
                source="camera",
                pose=Pose(*position),
                text=text,
                embeddings={"text": vector},
            )
            for number, stamp, position, text, vector in zip(
                batch.numbers,
                batch.stamps,
                batch.positions.tolist(),
                batch.texts,
                batch.vectors,
                strict=True,
            )
        ]

    def ingest(self, prepared: list[Observation]) -> None:
        """One acknowledged write."""
        acknowledged = self.memory.observe(prepared if len(prepared) > 1 else prepared[0])
        assert len(acknowledged.added) == len(prepared), acknowledged.refused[:1]

    def recall(self, question: Question) -> list[int]:
        """End to end: selection, search, reading the observations from disk."""
        found = self.memory.recall(question.query()).evidence
        return [int(item.observation.id[4:]) for item in found]

    def close(self) -> None:
        """Close the memory."""
        self.memory.close()


class SearchAlone:
    """This memory's index without reading observations: select, then nearest."""

    name = "search alone"

    def __init__(self, memory: RobotMemory) -> None:
        """Search a memory's index."""
        self._index = memory.index

    def recall(self, question: Question) -> list[int]:
        """Rowids count from 1, rows from 0."""
        allowed = self._index.select(question.filters())
        hits = self._index.nearest("text", question.vector, K, allowed)
        return [int(rowid) - 1 for rowid in hits.rowids]


class PlainArrays:
    """The simplest correct recall: a numpy mask, then the exact product in float32."""

    name = "numpy"

    def __init__(self, log: Log, vectors: Floats) -> None:
        """Hold stamps, positions and vectors in memory, shape (n, 384), float32."""
        self._stamps = log.stamps
        self._axes = [np.ascontiguousarray(log.positions[:, axis]) for axis in range(3)]
        self._vectors = vectors

    def selected(self, question: Question) -> Ints:
        """Rows that satisfy the conditions."""
        mask = (self._stamps >= question.start_ns) & (self._stamps <= question.end_ns)
        for values, low, high in zip(self._axes, question.low, question.high, strict=True):
            mask &= (values >= low) & (values <= high)
        return np.flatnonzero(mask)

    def recall(self, question: Question) -> list[int]:
        """Exact."""
        rows = self.selected(question)
        whole = len(rows) == len(self._vectors)
        scores = (self._vectors if whole else self._vectors[rows]) @ question.vector
        first = np.argpartition(-scores, K)[:K] if len(scores) > K else np.arange(len(scores))
        return [int(row) for row in rows[first[np.argsort(-scores[first], kind="stable")]]]


class PlainSqlite:
    """The simplest correct durable write: one SQLite table, a synced transaction a group."""

    name = "plain sqlite"
    guarantee = "fsync before it returns; one table, no checks, nothing to search with"

    def __init__(self, folder: Path) -> None:
        """Make a table in a folder."""
        folder.mkdir()
        self._db = sqlite3.connect(folder / "plain.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(
            "CREATE TABLE seen (id TEXT PRIMARY KEY, stamp INT, x, y, z, text, vector BLOB)"
        )

    def prepare(self, batch: Batch) -> list[tuple[Any, ...]]:
        """Rows of the table."""
        half = batch.vectors.astype(np.float16)
        places = batch.positions.tolist()
        return [
            (f"row-{n}", int(stamp), *place, text, vector.tobytes())
            for n, stamp, place, text, vector in zip(
                batch.numbers, batch.stamps, places, batch.texts, half, strict=True
            )
        ]

    def ingest(self, prepared: list[tuple[Any, ...]]) -> None:
        """One transaction."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO seen VALUES (?,?,?,?,?,?,?)", prepared)
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self._db.close()


class Emem:
    """emem: SQLite and hnswlib; the time filter and a ball are applied after the vector search."""

    name = "emem"
    guarantee = "no fsync a write (synchronous=NORMAL); vectors reach the disk at close"

    def __init__(self, folder: Path, capacity: int) -> None:
        """Make a store in a folder with room for so many vectors."""
        from emem import SpatioTemporalMemory
        from emem.config import SpatioTemporalMemoryConfig
        from emem.types import ObservationNode

        folder.mkdir()
        database = str(folder / "emem.db")
        config = SpatioTemporalMemoryConfig(
            db_path=database,
            hnsw_path=str(folder / "emem.hnsw"),
            embedding_dim=DIMENSION,
            hnsw_max_elements=capacity,
        )
        self._node = ObservationNode
        self._memory = SpatioTemporalMemory(db_path=database, config=config)
        self._store = self._memory.store

    def prepare(self, batch: Batch) -> list[Any]:
        """Its observation nodes."""
        return [
            self._node(
                id=str(number),
                text=text,
                coordinates=position,
                timestamp=stamp / SECOND_NS,
                embedding=vector,
            )
            for number, stamp, position, text, vector in zip(
                batch.numbers,
                batch.stamps.tolist(),
                batch.positions,
                batch.texts,
                batch.vectors,
                strict=True,
            )
        ]

    def ingest(self, prepared: list[Any]) -> None:
        """Its fast route: the store's own batch call."""
        self._store.add_observations_batch(prepared)

    def finish(self) -> None:
        """Nothing is left to do: the graph grows with every write."""

    def recall(self, question: Question) -> list[int]:
        """The ball around the box is asked for, the box applied to what comes back."""
        low, high = np.array(question.low), np.array(question.high)
        found = self._store.semantic_search_by_vector(
            question.vector,
            n_results=K,
            time_range=(question.start_ns / SECOND_NS, question.end_ns / SECOND_NS),
            spatial_center=(low + high) / 2,
            spatial_radius=float(np.linalg.norm(high - low) / 2) * (1 + 1e-6) + 1e-9,
        )
        inside = [
            node for node in found if ((node.coordinates >= low) & (node.coordinates <= high)).all()
        ]
        return [int(node.id) for node in inside]

    def close(self) -> None:
        """Save the graph and close."""
        self._memory.close()


class LanceDb:
    """LanceDB: columns in versioned files; filters before ranking, IVF_FLAT and B-trees."""

    name = "lancedb"
    guarantee = "no fsync: files and a manifest are written, the system syncs them some time"
    indexed = True

    def __init__(self, folder: Path, capacity: int) -> None:
        """Make a table in a folder; it grows by itself."""
        import lancedb
        import pyarrow

        del capacity
        self._arrow = pyarrow
        kinds = {"id": "int64", "stamp": "int64", "x": "float64", "y": "float64", "z": "float64"}
        fields = [(name, getattr(pyarrow, kind)()) for name, kind in kinds.items()]
        fields.append(("text", pyarrow.string()))
        fields.append(("vector", pyarrow.list_(pyarrow.float16(), DIMENSION)))
        self._schema = pyarrow.schema(fields)
        self._table = lancedb.connect(str(folder)).create_table("seen", schema=self._schema)

    def prepare(self, batch: Batch) -> Any:
        """An Arrow table."""
        arrow = self._arrow
        half = arrow.array(batch.vectors.astype(np.float16).ravel())
        columns = [
            arrow.array(list(batch.numbers), arrow.int64()),
            arrow.array(batch.stamps),
            *(arrow.array(batch.positions[:, axis]) for axis in range(3)),
            arrow.array(batch.texts),
            arrow.FixedSizeListArray.from_arrays(half, DIMENSION),
        ]
        return arrow.Table.from_arrays(columns, schema=self._schema)

    def ingest(self, prepared: Any) -> None:
        """One new version of the table."""
        self._table.add(prepared)

    def finish(self) -> None:
        """Compact, then index columns and vectors, as its guide advises."""
        self._table.optimize()
        if not self.indexed:
            return
        from lancedb.index import BTree, IvfFlat

        for name in ("stamp", "x", "y", "z"):
            self._table.create_index(name, config=BTree())
        lists = max(1, int(self._table.count_rows() ** 0.5))
        self._table.create_index(
            "vector", config=IvfFlat(distance_type="cosine", num_partitions=lists)
        )

    def recall(self, question: Question) -> list[int]:
        """Filter first (`prefilter`), nprobes as it comes."""
        bounds = zip("xyz", question.low, question.high, strict=True)
        where = " AND ".join(
            [
                f"stamp >= {question.start_ns} AND stamp <= {question.end_ns}",
                *(f"{axis} >= {low!r} AND {axis} <= {high!r}" for axis, low, high in bounds),
            ]
        )
        search = self._table.search(question.vector, vector_column_name="vector")
        search = search.distance_type("cosine").where(where, prefilter=True)
        found = search.select(["id", "_distance"]).limit(K).to_arrow()
        return [int(number) for number in found.column("id").to_pylist()]

    def close(self) -> None:
        """Nothing is held open."""
        self._table = None


class LanceDbExact(LanceDb):
    """LanceDB without indexes: exact, every row read."""

    name = "lancedb-exact"
    indexed = False


PEERS: dict[str, Callable[[Path, int], Any]] = {
    "emem": Emem,
    "lancedb": LanceDb,
    "lancedb-exact": LanceDbExact,
}


# -- questions ----------------------------------------------------------------------------------


def make_questions(
    log: Log, meanings: Floats, fraction: float, count: int, *, seed: int
) -> list[Question]:
    """Questions whose span and box together select very nearly a fraction of all rows.

    The span takes the square root of the fraction of all time, the box around a place where the
    robot was in that span takes the other square root.

    Args:
        log: What is asked about.
        meanings: Vectors to ask for, taken in turn.
        fraction: Of all rows, 1 for the whole log (span and box are still tested).
        count: How many.
        seed: Of spans and places.
    """
    chance = np.random.default_rng([seed, int(fraction * 1e6)])
    stamps, rows = log.stamps, len(log)
    width = max(1, round(rows * fraction**0.5))
    wanted = max(1, round(rows * fraction))
    sides = np.ptp(log.positions, axis=0)
    made = []
    for number in range(count):
        start = int(chance.integers(0, rows - width + 1))
        inside = log.positions[start : start + width]
        centre = inside[chance.integers(width)]
        apart = np.abs((inside - centre) / sides).max(axis=1)
        reach = sides * np.partition(apart, min(wanted, width) - 1)[min(wanted, width) - 1]
        reach = reach * (1 + 1e-9) + 1e-9
        low, high = (tuple(bound.tolist()) for bound in (centre - reach, centre + reach))
        span = int(stamps[start]), int(stamps[start + width - 1])
        made.append(Question(meanings[number % len(meanings)], *span, low, high))
    return made


def make_meanings(held_out: Floats | None, *, count: int, seed: int) -> Floats:
    """Vectors to ask for: people's questions and unseen descriptions, or random ones."""
    chance = np.random.default_rng([seed, 2])
    noise = chance.standard_normal((count, DIMENSION)).astype(np.float32)
    if held_out is None:
        return unit(noise)
    picks = chance.permutation(len(held_out))[np.arange(count) % len(held_out)]
    return unit(held_out[picks] + noise * np.float32(QUERY_SIGMA))


# -- measuring ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    """The settings of a run and what it found."""

    arguments: argparse.Namespace
    folder: Path
    sentences: list[str]
    base: Floats
    held_out: Floats
    unsaid: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@contextmanager
def timed(times: list[float]) -> Iterator[None]:
    """Append the seconds a block took."""
    begun = time.perf_counter()
    yield
    times.append(time.perf_counter() - begun)


def ingest_all(contestant: Contestant, log: Log, group: int, *, limit_s: float) -> list[float]:
    """Write a whole log in groups.

    Returns:
        Seconds of each group; fewer groups than there are where `limit_s` was passed.
    """
    times: list[float] = []
    bar, spent = Bar(f"  ingest: {contestant.name}", len(log)), 0.0
    for start in range(0, len(log), group):
        prepared = contestant.prepare(log.batch(start, start + group))
        with timed(times):
            contestant.ingest(prepared)
        bar.show(min(start + group, len(log)))
        spent += times[-1]
        if spent > limit_s:
            break
    bar.close()
    return times


def write_singles(contestant: Contestant, log: Log, count: int) -> list[float]:
    """Seconds of acknowledged writes of one new row each."""
    times: list[float] = []
    rows = len(log)
    for number in range(count):
        like = log.batch(number, number + 1)
        stamps = like.stamps + rows * SECOND_NS
        new = range(rows + number, rows + number + 1)
        batch = Batch(new, stamps, like.positions, like.texts, like.vectors)
        prepared = contestant.prepare(batch)
        with timed(times):
            contestant.ingest(prepared)
    return times


def sync_times(folder: Path, count: int) -> list[float]:
    """What the disk itself takes: 1 kB appended to a file and synced."""
    times: list[float] = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(count):
            with timed(times):
                file.write(bytes(1024))
                os.fsync(file.fileno())
    return times


def ingest_row(
    name: str, guarantee: str, log: Log, group: int, times: list[float]
) -> dict[str, Any]:
    """One contestant's ingest: rate over everything, and by group."""
    sizes = [min(group, len(log) - start) for start in range(0, len(log), group)]
    rates = np.array(sizes[: len(times)]) / np.array(times)
    return {
        "name": name,
        "guarantee": guarantee,
        "per_s": rounded(sum(sizes[: len(times)]) / sum(times)),
        "group_per_s": spread(rates),
        "slowest_group_s": rounded(max(times)),
    }


def disk_bytes(folder: Path) -> int:
    """Bytes that a folder's files occupy on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def stored_vectors(memory: RobotMemory, rows: int) -> Floats:
    """The first rows' vectors as the memory stored them, shape (rows, 384), float32."""
    parts, after = [], 0
    while after < rows:
        rowids, vectors = memory.store.embedding_rows("text", after, min(20_000, rows - after))
        assert rowids[0] == after + 1 and rowids[-1] == after + len(rowids)
        parts.append(vectors.astype(np.float32))
        after = int(rowids[-1])
    return np.concatenate(parts)


def overlap(found: Sequence[int], exact: Sequence[int]) -> float:
    """Which share of the exact first K was found."""
    return len(set(found) & set(exact)) / len(exact) if exact else 1.0


def measure_alone(mine: ThisMemory, questions: list[Question]) -> dict[str, Any]:
    """Latency of this memory with nothing else going on: end to end, and its parts."""
    index, alone = mine.memory.index, SearchAlone(mine.memory)
    for question in questions[:WARM_UP]:
        mine.recall(question)
        alone.recall(question)
    whole: list[float] = []
    search: list[float] = []
    select: list[float] = []
    for question in questions:
        with timed(whole):
            mine.recall(question)
    for question in questions:
        with timed(search):
            alone.recall(question)
        filters = question.filters()
        with timed(select):
            index.select(filters)
    return {
        "recall": latency(whole),
        "search": latency(search),
        "select": latency(select),
    }


def measure_together(
    others: Sequence[Recaller], exact: PlainArrays, questions: list[Question]
) -> dict[str, dict[str, Any]]:
    """Every question to everybody in turn: recall against the exact answer, and ratios.

    A ratio above 1 says how many times faster the first of `others` (this memory) was.
    """
    contestants: list[Recaller] = [*others, exact]
    times: dict[str, list[float]] = {item.name: [] for item in contestants}
    shares: dict[str, list[float]] = {item.name: [] for item in contestants}
    outside: dict[str, int] = {item.name: 0 for item in contestants}
    for item in contestants:
        for question in questions[:2]:
            item.recall(question)
    for turn, question in enumerate(questions):
        answers = {}
        for place in range(len(contestants)):  # everybody is first in turn
            item = contestants[(turn + place) % len(contestants)]
            with timed(times[item.name]):
                answers[item.name] = item.recall(question)
        allowed = set(exact.selected(question).tolist())
        for name, answer in answers.items():
            shares[name].append(overlap(answer, answers[exact.name]))
            outside[name] += len(set(answer) - allowed)
    mine = np.array(times[others[0].name])
    return {
        name: {
            "recall@10": rounded(float(np.mean(shares[name]))),
            "outside_filter": outside[name],
            **latency(taken),
            "ratio": spread(np.array(taken) / mine),
        }
        for name, taken in times.items()
    }


def recall_all(
    run: Run, log: Log, mine: ThisMemory, peers: Sequence[Any], meanings: Floats
) -> list[dict[str, Any]]:
    """Recall at every fraction."""
    exact = PlainArrays(log, stored_vectors(mine.memory, len(log)))
    alone = SearchAlone(mine.memory)
    found = []
    for fraction in FRACTIONS:
        say(f"  recall at {fraction:.1%} selected")
        count = run.arguments.repeat
        questions = make_questions(log, meanings, fraction, count, seed=run.arguments.seed)
        selected = np.median([len(exact.selected(question)) for question in questions[:20]])
        quiet = measure_alone(mine, questions)
        together = measure_together([mine, alone, *peers], exact, questions)
        found.append(
            {
                "fraction": fraction,
                "selected": int(selected),
                "questions": count,
                "alone": quiet,
                "together": together,
            }
        )
    return found


def measure_probe(run: Run, folder: Path, questions: list[Question]) -> dict[str, Any]:
    """Open a memory in a process of its own; see `probe`."""
    file = folder.with_suffix(".questions.npz")
    np.savez(
        file,
        vectors=np.stack([item.vector for item in questions]),
        spans=np.array([(item.start_ns, item.end_ns) for item in questions]),
        boxes=np.array([(item.low, item.high) for item in questions]),
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.episodic", "--probe", str(folder), str(file)],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the reopening process failed:\n{done.stderr}")
    if done.stderr.strip():  # a warning, say that the cache was not used
        say(done.stderr.rstrip())
    return dict(json.loads(done.stdout))


def probe(folder: Path, file: Path) -> None:
    """In a cold process: open, answer questions, tell time and memory, close.

    Args:
        folder: The memory.
        file: The questions, as `measure_probe` wrote them.
    """
    begun = time.perf_counter()
    memory = RobotMemory.open(folder, text_encoder=None)
    opened = time.perf_counter() - begun
    while not memory.index.ready:
        time.sleep(0.01)
    ready = time.perf_counter() - begun
    data = np.load(file)
    taken: list[float] = []
    for vector, span, box in zip(data["vectors"], data["spans"], data["boxes"], strict=True):
        low, high = (tuple(bound.tolist()) for bound in box)
        question = Question(vector, int(span[0]), int(span[1]), low, high)
        with timed(taken):
            memory.recall(question.query())
    resident = resident_bytes()
    begun = time.perf_counter()
    memory.close()
    closed = time.perf_counter() - begun
    print_json(
        {
            "open_s": opened,
            "ready_s": ready,
            "first_recall_s": taken[0],
            "close_s": closed,
            "rss": resident["VmRSS"],
            "rss_anonymous": resident["RssAnon"],
        }
    )


def measure_reopening(
    run: Run, folder: Path, log: Log, meanings: Floats, rows: int
) -> dict[str, Any]:
    """Opening time and resident memory, less those of a memory with one row."""
    seed = run.arguments.seed
    per = -(-PROBE_QUERIES // len(FRACTIONS))
    asked = [
        question
        for fraction in FRACTIONS
        for question in make_questions(log, meanings, fraction, per, seed=seed)
    ][:PROBE_QUERIES]
    empty = folder.with_name("one-row")
    if not empty.exists():
        single = ThisMemory(empty)
        single.ingest(single.prepare(log.batch(0, 1)))
        single.close()
    runs = [measure_probe(run, folder, asked) for _ in range(3)]
    base = measure_probe(run, empty, asked)
    middle = {key: float(np.median([item[key] for item in runs])) for key in runs[0]}
    return {
        **{key: rounded(middle[key]) for key in ("open_s", "ready_s", "first_recall_s")},
        "close_s": rounded(middle["close_s"]),
        "rss_bytes_per_observation": rounded((middle["rss"] - base["rss"]) / rows),
        "anonymous_bytes_per_observation": rounded(
            (middle["rss_anonymous"] - base["rss_anonymous"]) / rows
        ),
        "one_row_rss_mb": rounded(base["rss"] / 1e6),
    }


# -- one size -----------------------------------------------------------------------------------


def run_peers(run: Run, log: Log, place: Path) -> tuple[list[dict[str, Any]], list[Any]]:
    """Ingest into the plain table and the peers.

    Returns:
        Their rows of the ingest table, and the peers that are ready for recall.
    """
    plain = PlainSqlite(place / "plain")
    row, _ = run_peer(run, plain, log)
    row["single"] = latency(write_singles(plain, log, SINGLES))
    plain.close()
    rows, ready = [row], []
    for name in run.arguments.peers:
        expected = expected_seconds(run, name, len(log))
        if expected > PEER_LIMIT_S:
            run.left_out.append(f"{name} at {size_name(len(log))}: about {expected:,.0f} s")
            continue
        peer = PEERS[name](place / name, len(log) + SINGLES)
        row, complete = run_peer(run, peer, log)
        rows.append(row)
        if not complete:
            run.left_out.append(f"{name} at {size_name(len(log))}: over {PEER_LIMIT_S:,.0f} s")
            peer.close()
            continue
        finishing: list[float] = []
        with timed(finishing):
            peer.finish()
        row["index_s"] = rounded(finishing[0])
        ready.append(peer)
    return rows, ready


def run_peer(run: Run, peer: Contestant, log: Log) -> tuple[dict[str, Any], bool]:
    """Ingest into one; also whether it took everything in time."""
    group = run.arguments.group
    times = ingest_all(peer, log, group, limit_s=PEER_LIMIT_S)
    row = ingest_row(peer.name, peer.guarantee, log, group, times)
    row["group_s"] = times
    return row, len(times) * group >= len(log)


def expected_seconds(run: Run, name: str, rows: int) -> float:
    """What a peer would take, from its rate at the largest smaller size; 0 where none is known."""
    known = [
        (result["n"], row["per_s"])
        for result in run.results
        for row in result.get("ingest", ())
        if row["name"] == name
    ]
    return rows / max(known)[1] if known else 0.0


@contextmanager
def training_watched() -> Iterator[list[float]]:
    """Seconds of every training of lists while a block runs; it goes on beside ingest."""
    times: list[float] = []
    original = CpuIndex.train

    def watched(index: CpuIndex, *, seed: int = 0) -> None:
        with timed(times):
            original(index, seed=seed)

    CpuIndex.train = watched  # type: ignore[assignment, method-assign]
    try:
        yield times
    finally:
        CpuIndex.train = original  # type: ignore[method-assign]


def wait_for_training(mine: ThisMemory, trainings: list[float]) -> dict[str, Any]:
    """Wait for the index's own thread, and say what it left undone."""
    waiting: list[float] = []
    with timed(waiting):
        mine.memory.index.wait()
    return {
        "trainings": len(trainings),
        "training_s": rounded(sum(trainings)),
        "wait_s": rounded(waiting[0]),
        "rows_outside_lists": mine.memory.index.metrics()["tail"],
    }


def measure(run: Run, rows: int, kind: str) -> dict[str, Any]:
    """Everything at one size with one kind of vectors."""
    options = run.arguments
    say(f"{size_name(rows)} rows, {kind} vectors")
    gaussian = kind == "gaussian"
    base, held_out = (None, None) if gaussian else (run.base, run.held_out)
    log = make_log(rows, run.sentences, base, sigma=options.sigma, seed=options.seed)
    meanings = make_meanings(held_out, count=max(options.repeat, 100), seed=options.seed)
    place = run.folder / f"{size_name(rows)}-{kind}"
    place.mkdir()
    result: dict[str, Any] = {"n": rows, "vectors": kind}
    mine = ThisMemory(place / "memory")
    if options.ask and not gaussian:
        asking.declare_encoder(mine.memory)
    with training_watched() as trainings:
        times = ingest_all(mine, log, options.group, limit_s=float("inf"))
        result["training"] = wait_for_training(mine, trainings)
    ingest = [ingest_row(mine.name, mine.guarantee, log, options.group, times)]
    peers: list[Any] = []
    if not gaussian:
        others, peers = run_peers(run, log, place)
        for row in others:
            taken = np.array(row.pop("group_s"))
            row["ratio"] = spread(taken / np.array(times[: len(taken)]))
        ingest += others
    result["ingest"] = ingest
    result["recall"] = recall_all(run, log, mine, peers, meanings)
    say("  single writes")
    ingest[0]["single"] = latency(write_singles(mine, log, SINGLES))
    for peer in peers:
        row = next(row for row in ingest if row["name"] == peer.name)
        row["single"] = latency(write_singles(peer, log, SINGLES))
        peer.close()
    result["sync"] = latency(sync_times(place, SINGLES))
    result["close_s"] = rounded(timed_close(mine))
    result["disk_bytes_per_observation"] = rounded(disk_bytes(place / "memory") / rows)
    say("  reopening")
    result["reopening"] = measure_reopening(run, place / "memory", log, meanings, rows)
    if options.ask and not gaussian:
        say("  asking")
        result["asking"] = asking.measure_asking(place / "memory", run.unsaid, count=options.repeat)
    shutil.rmtree(place)
    return result


def timed_close(mine: ThisMemory) -> float:
    """Seconds that closing took."""
    taken: list[float] = []
    with timed(taken):
        mine.close()
    return taken[0]


# -- targets and tables -------------------------------------------------------------------------

LATENCY_TARGETS_MS = {
    100_000: {0.001: 1.0, 0.01: 1.0, 0.1: 3.0, 1.0: 3.0},
    1_000_000: {0.001: 5.0, 0.01: 5.0, 0.1: 25.0, 1.0: 10.0},
}


def targets_of(result: dict[str, Any]) -> list[Target]:
    """What was aimed at for one size of sentence vectors."""
    rows = result["n"]
    at = size_name(rows)
    found = [
        Target(f"{at}: ingest, observations/s", result["ingest"][0]["per_s"], 8_000, above=True)
    ]
    for part in result["recall"]:
        share = f"{part['fraction']:.1%}"
        exactness = part["together"]["this memory"]["recall@10"]
        found.append(Target(f"{at}, {share}: recall@10", exactness, 0.99, above=True))
        limit = LATENCY_TARGETS_MS.get(rows, {}).get(part["fraction"])
        if limit is not None:
            for what, words in (("recall", "recall p50, ms"), ("search", "search alone p50, ms")):
                value = part["alone"][what]["p50_ms"]
                found.append(Target(f"{at}, {share}: {words}", value, limit))
    reopening = result["reopening"]
    if rows == 1_000_000:
        found.append(Target(f"{at}: open, s", reopening["ready_s"], 3.0))
    if rows >= 100_000:  # below, fixed costs are most of it
        each = reopening["rss_bytes_per_observation"]
        found.append(Target(f"{at}: resident bytes an observation", each, 1_200))
    if rows == 1_000_000 and "asking" in result:
        found += asking.targets_of(result["asking"], at)
    slowest = max(result["close_s"], reopening["close_s"])
    found.append(Target(f"{at}: close, s", slowest, 1.0))
    return found


def quartiles_text(values: dict[str, float]) -> str:
    """`2.1 (1.8 to 2.4)`."""
    return f"{values['median']:g} ({values['q1']:g} to {values['q3']:g})"


def show(result: dict[str, Any]) -> None:
    """The tables of one size."""
    title = f"{size_name(result['n'])} observations, {result['vectors']} vectors"
    rows = [
        (
            row["name"],
            f"{row['per_s']:,.0f}",
            quartiles_text(row["ratio"]) if "ratio" in row else "1",
            f"{row['single']['p50_ms']:g}" if "single" in row else "",
            row["guarantee"],
        )
        for row in result["ingest"]
    ]
    header = ("written to", "rows/s", "group time, times ours", "single p50, ms", "guarantee")
    print_table(f"{title}: ingest", header, rows)
    answers = []
    for part in result["recall"]:
        quiet = part["alone"]
        for name, row in part["together"].items():
            calm = {"this memory": quiet["recall"], "search alone": quiet["search"]}.get(name)
            answers.append(
                (
                    f"{part['fraction']:.1%} ({part['selected']:,})",
                    name,
                    f"{row['recall@10']:g}",
                    f"{calm['p50_ms']:g} / {calm['p95_ms']:g}" if calm else "",
                    f"{row['p50_ms']:g} / {row['p95_ms']:g}",
                    quartiles_text(row["ratio"]),
                )
            )
    print_table(
        f"{title}: recall within a span and a box",
        ("selected", "who", "recall@10", "alone p50/p95, ms", "in turn p50/p95, ms", "times ours"),
        answers,
    )
    reopening = result["reopening"]
    facts = {
        "trainings of lists during ingest, s": result["training"]["training_s"],
        "waited for training after ingest, s": result["training"]["wait_s"],
        "rows outside the lists": result["training"]["rows_outside_lists"],
        "1 kB appended and synced, p50 ms": result["sync"]["p50_ms"],
        "close after single writes, s": result["close_s"],
        "close of a reader-only session, s": reopening["close_s"],
        "open in a new process, s": reopening["open_s"],
        "index ready, s": reopening["ready_s"],
        "first recall, s": reopening["first_recall_s"],
        "resident bytes an observation": reopening["rss_bytes_per_observation"],
        "of them not mapped files": reopening["anonymous_bytes_per_observation"],
        "disk bytes an observation": result["disk_bytes_per_observation"],
    }
    print_table(f"{title}: size", ("what", ""), [(k, f"{v:,}") for k, v in facts.items()])
    if "asking" in result:
        header = ("in words", "p50, ms", "p95, ms", "p99, ms")
        print_table(f"{title}: asking", header, asking.rows_of(result["asking"]))


# -- command line -------------------------------------------------------------------------------


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.episodic", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", default="10k,100k", help="for example 10k,100k,1M")
    parser.add_argument("--peers", default="", help=f"of {', '.join(PEERS)}; commas between")
    parser.add_argument("--vectors", default="sentences,gaussian", help="which kinds")
    parser.add_argument("--ask", action="store_true", help="organise, then ask in words as well")
    parser.add_argument("--repeat", type=int, default=120, help="questions a fraction, ≥ 20")
    parser.add_argument("--group", type=int, default=500, help="observations a durable write")
    parser.add_argument("--sigma", type=float, default=0.0025, help="noise on each number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for sentence embeddings")
    parser.add_argument("--folder", type=Path, help="where memories are made (a temporary one)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--probe", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.sizes = sorted(parse_size(part) for part in options.sizes.split(","))
    options.vectors = options.vectors.split(",")
    options.peers = [name for name in options.peers.split(",") if name]
    unknown = [name for name in options.peers if name not in PEERS]
    unknown += [kind for kind in options.vectors if kind not in ("sentences", "gaussian")]
    if unknown:
        parser.error(f"unknown peers or vectors: {', '.join(unknown)}")
    if options.repeat < 20:
        parser.error("--repeat must be at least 20: ratios need a spread")
    return options


def without_missing(peers: Sequence[str], left_out: list[str]) -> list[str]:
    """The peers that are installed; the others are named in `left_out`."""
    installed = []
    for name in peers:
        module = name.partition("-")[0]
        if importlib.util.find_spec(module) is None:
            left_out.append(f"{name}: not installed (pip install {module})")
        else:
            installed.append(name)
    return installed


def default_cache() -> Path:
    """The user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "robot-memory" / "benchmarks"


def run_all(options: argparse.Namespace, folder: Path) -> Run:
    """Measure every size and kind of vectors."""
    sentences = descriptions(SENTENCES, seed=1)
    vectors = encode([*sentences, *QUESTIONS], options.cache or default_cache())
    known = SENTENCES - HELD_OUT
    run = Run(
        options, folder, sentences[:known], vectors[:known], vectors[known:],
        unsaid=sentences[known:],
    )  # fmt: skip
    options.peers = without_missing(options.peers, run.left_out)
    for rows in options.sizes:
        for kind in options.vectors:
            result = measure(run, rows, kind)
            run.results.append(result)
            if kind == "sentences":
                run.targets += targets_of(result)
            if not options.json:
                show(result)
    return run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    if options.probe:
        probe(*options.probe)
        return
    begun, computer = time.perf_counter(), machine()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="episodic-", dir=options.folder) as temporary:
        run = run_all(options, Path(temporary))
    skipped = {"probe", "json", "folder", "cache"}
    config = {name: value for name, value in vars(options).items() if name not in skipped}
    config |= {"descriptions": SENTENCES - HELD_OUT, "query_sigma": QUERY_SIGMA, "k": K}
    if not options.json:
        print_targets(run.targets)
        for line in run.left_out:
            print(f"left out: {line}")
        print(f"{today()} · {json.dumps(computer)} · {json.dumps(config)}")
        return
    print_json(
        {
            "benchmark": "episodic",
            "n": options.sizes,
            "seed": options.seed,
            "config": config,
            "date": today(),
            "machine": {**computer, "load_after": [round(v, 2) for v in os.getloadavg()]},
            "seconds": round(time.perf_counter() - begun, 1),
            "results": run.results,
            "targets": [target.to_json() for target in run.targets],
            "left_out": run.left_out,
        }
    )


if __name__ == "__main__":
    main()
