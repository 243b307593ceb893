"""The growing forest against the published batch one, on captioned places.

`dasgupta`: cost by the published similarity, lower is better. `caption@1`: forests are built from
the first half of every caption's sentences; the second half is the query, and counts where the
first leaf that a descent reaches is its place; the same descent for both. `insert_ms`: the time to
add one place to a forest of that size (the places repeated, shifted in space); to the published
forest nothing can be added, it is built again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import EmptyMemory, RecordingUnreadable
from memory_core.evaluation.report import report
from memory_core.perception.text import TextEncoder
from memory_core.recordings.files import parse_line, read_lines
from memory_core.recordings.jsonl import local_metres
from memory_core.semantic.forest.incremental import SemanticForest
from memory_core.semantic.forest.nodes import Leaf
from memory_core.semantic.forest.quality import dasgupta_cost, linkage_tree, within_similarity
from memory_core.semantic.forest.reference import ForestArrays, build_forest
from memory_core.semantic.forest.retrieval import ArrayForest, Descendable, descend
from memory_core.semantic.forest.texts import summaries
from memory_core.types import FloatArray, Json

PLACES = "places.jsonl.gz"
AUTHORS = "reference_forest.jsonl.gz"
SIZES = (1_000, 10_000, 100_000)
SLICE = 1
TIMED = 200
REBUILT_UP_TO = 4_000
GAP_M = 500.0
KS = (1, 10)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """Captioned places.

    Attributes:
        texts: Name and caption of each.
        halves: First and second half of each caption's sentences.
        positions: Metres about the first place, shape (n, 3).
    """

    texts: list[str]
    halves: list[tuple[str, str]]
    positions: FloatArray

    @property
    def asked(self) -> list[int]:
        """Places whose caption has two halves."""
        return [at for at, (_, second) in enumerate(self.halves) if second]


def read_site(folder: Path) -> Site:
    """The places of a folder.

    Raises:
        RecordingUnreadable: It holds no `places.jsonl.gz`.
        EmptyMemory: Fewer than two places.
    """
    if not (folder / PLACES).is_file():
        raise RecordingUnreadable(f"{folder} holds no {PLACES}")
    values = [parse_line(line, PLACES) for line in read_lines(folder / PLACES) if line.strip()]
    if len(values) < 2:
        raise EmptyMemory(f"{folder / PLACES} has {len(values)} places; a forest needs two")
    origin = (float(values[0]["longitude"]), float(values[0]["latitude"]))
    metres = [
        (*local_metres(float(v["longitude"]), float(v["latitude"]), origin=origin), 0.0)
        for v in values
    ]
    texts = [f"{v['name']}. {v['caption']}" if v.get("name") else v["caption"] for v in values]
    return Site(texts, [caption_halves(v["caption"]) for v in values], np.array(metres))


def caption_halves(caption: str) -> tuple[str, str]:
    """A caption's sentences in two halves, the first the longer; the second may be empty."""
    sentences = re.split(r"(?<=[.!?])\s+", caption.strip())
    middle = (len(sentences) + 1) // 2
    return " ".join(sentences[:middle]), " ".join(sentences[middle:])


HEADLINE = ("levels", "dasgupta", "caption@1", "insert_ms")
"""What the report says of the incremental forest itself, beside both forests' own entries."""


def evaluate_forest(
    folder: Path,
    *,
    encoder: TextEncoder,
    sizes: Sequence[int] = SIZES,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Measure both forests.

    Args:
        folder: Holds `places.jsonl.gz`, and the authors' `reference_forest.jsonl.gz` if any.
        encoder: Of the captions.
        sizes: At how many places adding one is timed; ascending.
        progress: Called with (steps done, in all, what).

    Returns:
        The report, and one row a query.

    Raises:
        RecordingUnreadable: The folder holds no places.
        EmptyMemory: Fewer than two.
    """
    begun = time.perf_counter()
    site = read_site(folder)
    tell = progress or (lambda done, total, what: None)
    total = 6 + len(sizes)
    tell(0, total, "captions")
    vectors = encoder.encode(site.texts)
    tell(1, total, "published forest")
    start = time.perf_counter()
    reference = build_forest(site.positions, vectors)
    rebuild_s = time.perf_counter() - start
    tell(2, total, "growing forest")
    forest = grow(site, vectors)
    grown, _ = forest.arrays()
    tell(3, total, "quality")
    metrics: Json = {
        "reference": _quality(reference) | {"rebuild_s": round(rebuild_s, 3)},
        "incremental": _quality(grown),
        "blockwise": {"levels": build_forest(site.positions, vectors, blockwise=True).sizes},
        "authors": _authors(folder / AUTHORS, site, vectors),
        "root": [forest.text(number) for number in forest.tops()],
    }
    tell(4, total, "held-out halves")
    shares, rows = _retrieval(site, encoder)
    for name, found in shares.items():
        metrics.setdefault(name, {}).update(found)
    tell(5, total, "rebuilding")
    metrics["reference"]["insert_ms"] = _rebuild_ms(site, vectors, sizes)
    metrics["incremental"] |= _insert_ms(
        site, vectors, sizes, lambda n: tell(6 + n, total, "adding")
    )
    whole = dasgupta_cost(linkage_tree(reference))
    metrics["ratios"] = _ratios(metrics, whole)
    metrics |= {name: metrics["incremental"][name] for name in HEADLINE}
    config = {"folder": folder.name, "encoder": encoder.space.model, "sizes": list(sizes),
              "rebalanced_per_place": SLICE}  # fmt: skip
    seconds = time.perf_counter() - begun
    return report(metrics, n=len(site.texts), seed=0, config=config, seconds=seconds), rows


def grow(site: Site, vectors: FloatArray) -> SemanticForest:
    """The forest after all places came one by one, with a slice of re-balancing after each."""
    forest = SemanticForest(vectors.shape[1])
    for at in range(len(vectors)):
        forest.add(_leaf(site, vectors, at, copy=0))
        forest.rebalance(SLICE)
    return forest


def _leaf(site: Site, vectors: FloatArray, at: int, *, copy: int) -> Leaf:
    width = float(np.ptp(site.positions[:, 0])) + GAP_M
    x, y, z = site.positions[at]
    return Leaf(f"{copy}:{at}", vectors[at], (x + copy * width, y, z), text=site.texts[at])


def _quality(forest: ForestArrays) -> Json:
    return {
        "levels": forest.sizes,
        "dasgupta": round(dasgupta_cost(forest)),
        "within_similarity": [round(value, 4) for value in within_similarity(forest)],
    }


def _authors(path: Path, site: Site, vectors: FloatArray) -> Json:
    """The forest that came with the places, measured by the same similarity; None without one."""
    if not path.is_file():
        return None
    nodes = [parse_line(line, path.name) for line in read_lines(path) if line.strip()]
    nodes.sort(key=lambda node: (node["level"], node["id"]))
    n = len(site.texts)
    index = {at: at for at in range(n)} | {node["id"]: n + at for at, node in enumerate(nodes)}
    parents = np.full(n + len(nodes), -1)
    for node in nodes:
        parents[[index[member] for member in node["members"]]] = index[node["id"]]
    levels = np.array([0] * n + [int(node["level"]) for node in nodes])
    fill = len(nodes)
    forest = ForestArrays(
        parents,
        np.concatenate([vectors, np.zeros((fill, vectors.shape[1]), np.float32)]),
        np.concatenate([site.positions, np.zeros((fill, 3))]),
        levels,
    )
    return _quality(forest) | {"places": int((parents[:n] >= 0).sum())}


def _retrieval(site: Site, encoder: TextEncoder) -> tuple[dict[str, Json], list[Json]]:
    first = encoder.encode([half for half, _ in site.halves])
    queries = encoder.encode([site.halves[at][1] for at in site.asked])
    texts = [half for half, _ in site.halves]
    published = build_forest(
        site.positions, first, texts=texts, summarise=summaries, encode=encoder.encode
    )
    grown = grow(site, first)
    leaves = [grown.leaf(f"0:{at}") for at in range(len(texts))]
    forests: dict[str, tuple[Descendable, list[int]]] = {
        "reference": (ArrayForest(published), list(range(len(texts)))),
        "reference_by_means": (
            ArrayForest(build_forest(site.positions, first)),
            list(range(len(texts))),
        ),
        "incremental": (grown, leaves),
    }
    rows: list[Json] = [{"place": at} for at in site.asked]
    for name, (forest, numbers) in forests.items():
        for row, query in zip(rows, queries, strict=True):
            found = [item.number for item in descend(forest, query, k=max(KS))]
            target = numbers[row["place"]]
            row[name] = found.index(target) + 1 if target in found else None
    ranks = (queries @ first.T >= (queries * first[site.asked]).sum(axis=1)[:, None]).sum(axis=1)
    for row, rank in zip(rows, ranks, strict=True):
        row["flat"] = int(rank) if rank <= max(KS) else None
    return {name: _shares([row[name] for row in rows]) for name in (*forests, "flat")}, rows


def _shares(ranks: list[int | None]) -> Json:
    return {
        f"caption@{k}": round(sum(rank is not None and rank <= k for rank in ranks) / len(ranks), 4)
        for k in KS
    }


def _rebuild_ms(site: Site, vectors: FloatArray, sizes: Sequence[int]) -> Json:
    """By size: what a new place costs the published forest; None where it is too large to build."""
    times: Json = {}
    for size in sorted({*sizes, len(vectors)}):
        if size > min(REBUILT_UP_TO, len(vectors)):
            times[str(size)] = None
            continue
        start = time.perf_counter()
        build_forest(site.positions[:size], vectors[:size])
        times[str(size)] = round(1e3 * (time.perf_counter() - start), 1)
    return times


def _insert_ms(
    site: Site, vectors: FloatArray, sizes: Sequence[int], tell: Callable[[int], None]
) -> Json:
    """By size: median and quartiles of adding a place, a slice of re-balancing included."""
    forest = SemanticForest(vectors.shape[1])
    n, added = len(vectors), 0
    medians: Json = {}
    spreads: Json = {}
    for done, size in enumerate(sorted({*sizes, n})):
        times = []
        while added < size + TIMED // 2:
            leaf = _leaf(site, vectors, added % n, copy=added // n)
            start = time.perf_counter()
            forest.add(leaf)
            forest.rebalance(SLICE)
            if added >= size - TIMED // 2:
                times.append(1e3 * (time.perf_counter() - start))
            added += 1
        low, middle, high = np.percentile(times, (25, 50, 75))
        medians[str(size)] = round(float(middle), 3)
        spreads[str(size)] = [round(float(low), 3), round(float(high), 3)]
        tell(min(done, len(sizes)))
    return {"insert_ms": medians, "insert_ms_quartiles": spreads}


def _ratios(metrics: Json, whole: float) -> Json:
    """What the growing forest is held to, beside the published one and its uncut dendrogram."""
    reference, ours = metrics["reference"], metrics["incremental"]
    size = str(max(int(s) for s, ms in reference["insert_ms"].items() if ms is not None))
    times = ours["insert_ms"]
    small, large = min(map(int, times)), max(map(int, times))
    return {
        "dasgupta": round(ours["dasgupta"] / reference["dasgupta"], 4),
        "dasgupta_to_uncut": round(ours["dasgupta"] / whole, 4),
        "caption@1": round(ours["caption@1"] - reference["caption@1"], 4),
        "faster_than_rebuild": round(reference["insert_ms"][size] / times[size], 1),
        "growth": round(times[str(large)] / times[str(small)], 3),
        "logarithmic_growth": round(float(np.log(large) / np.log(small)), 3),
    }
