"""Hierarchical against full attention over stored steps: time, work, and what is lost.

    python -m benchmarks.attention --sizes 1k,10k,100k,1M
    python -m benchmarks.attention --sizes 1M --device cuda

Full attention is softmax(β X q) X over n stored steps in float16. Three memories, all seeded:

events         Events of geometric length, 30 steps on average. Every event has one of a pool of
               topics (eight events share one: places are visited again), a direction of its own
               (0.6 of the topic's length), a random walk (0.15 a step) and noise on each step (0.6).
strange steps  The same, but 3 % of the steps are unlike anything else, and those are asked for:
               what the mean of a chunk cannot show.
no structure   Independent random directions, cut into chunks of the same lengths.

A query is a stored step plus noise of 0.7 times its length (cosine 0.82). "Top-10 mass" is the
share of full attention's weight on its ten heaviest steps that lies in the chunks kept. "Error" is
the relative L2 error of the output, with one softmax over all kept rows (`joint`) and with the
paper's two. Work counts the multiply-adds and bytes of both steps, centroids of lists included.

Needs numpy; `--device` also torch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.common import (
    DIMENSION,
    Floats,
    Ints,
    Target,
    latency,
    machine,
    parse_size,
    print_json,
    print_table,
    print_targets,
    rounded,
    say,
    size_name,
    spread,
    today,
    unit,
)
from memory_core.attention.attended import Attended
from memory_core.attention.stored import StoredChunks

BLOCK = 50_000
CACHED = 4_096
EVENT_LENGTH = 30
EVENTS_PER_TOPIC = 8
OWN, DRIFT, NOISE, QUERY_NOISE = 0.6, 0.15, 0.6, 0.7
STRANGE_SHARE = 0.03
WARM_UP = 3
DATA = ("events", "strange steps", "no structure")
KEYS = {"mean": 0, "mean and 2 landmarks": 2}


@dataclass(frozen=True, slots=True)
class Steps:
    """A stored memory and the steps that may be asked for.

    Attributes:
        contents: Shape (n, 384), float16, rows of length 1.
        offsets: Shape (m + 1,), where events begin.
        asked: Numbers of the steps that queries are made of.
    """

    contents: Floats
    offsets: Ints
    asked: Ints


def directions(chance: np.random.Generator, count: int) -> Floats:
    """Random unit vectors, shape (count, 384), float32."""
    return unit(chance.standard_normal((count, DIMENSION), dtype=np.float32))


def make_steps(rows: int, kind: str, *, seed: int) -> Steps:
    """One of the memories described at the top of this file."""
    chance = np.random.default_rng([seed, DATA.index(kind)])
    topics = directions(chance, max(1, rows // (EVENT_LENGTH * EVENTS_PER_TOPIC)))
    contents = np.empty((rows, DIMENSION), np.float16)
    begins, strange = [], []
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        lengths = chance.geometric(1 / EVENT_LENGTH, count)
        first = np.concatenate([[0], np.cumsum(lengths)])
        first = first[first < count]
        begins.append(start + first)
        if kind == "no structure":
            contents[start : start + count] = directions(chance, count)
            continue
        event = np.repeat(np.arange(len(first)), np.diff(np.append(first, count)))
        own = OWN * directions(chance, len(first))
        base = topics[chance.integers(0, len(topics), len(first))] + own
        walk = np.cumsum(DRIFT * directions(chance, count), axis=0)
        walk -= walk[first][event]
        block = base[event] + walk + NOISE * directions(chance, count)
        if kind == "strange steps":
            unlike = np.flatnonzero(chance.random(count) < STRANGE_SHARE)
            block[unlike] = directions(chance, len(unlike))
            strange.append(start + unlike)
        contents[start : start + count] = unit(block)
    asked = np.concatenate(strange) if strange else np.arange(rows)
    return Steps(contents, np.append(np.concatenate(begins), rows), asked)


def queries_of(steps: Steps, count: int, *, seed: int) -> Floats:
    """Noisy versions of stored steps, shape (count, 384), float32, rows of length 1."""
    chance = np.random.default_rng([seed, 2**31])
    stored = steps.contents[chance.choice(steps.asked, count)].astype(np.float32)
    return unit(stored + QUERY_NOISE * directions(chance, count))


# -- the two ways -------------------------------------------------------------------------------


def attend_fully(contents: Floats, query: Floats, beta: float) -> tuple[Floats, Floats]:
    """Weights (n,) and output (384,) of one softmax over every row.

    Every block is read once: what was summed is scaled down when a higher logit comes (Milakov and
    Gimelshein 2018).
    """
    asked = np.float32(beta) * query
    logits = np.empty(len(contents), np.float32)
    output, highest = np.zeros(DIMENSION, np.float32), np.float32(-np.inf)
    for start in range(0, len(contents), CACHED):
        block = contents[start : start + CACHED].astype(np.float32)
        part = logits[start : start + CACHED]
        np.matmul(block, asked, out=part)
        before, highest = highest, max(highest, part.max())
        output = output * np.exp(before - highest) + np.exp(part - highest) @ block
    weights = np.exp(logits - highest)
    total = weights.sum(dtype=np.float64)
    return weights / total, output / total


class OnDevice:
    """Both ways in torch, the memory on a device: the same lists, chunks and rows."""

    def __init__(self, chunks: StoredChunks, device: str) -> None:
        """Copy the memory; chunks and lists become rectangles, padded with their last member."""
        import torch

        self._torch = torch
        self._contents = torch.from_numpy(np.asarray(chunks.contents)).to(device)
        self._keys = torch.from_numpy(np.ascontiguousarray(chunks.keys)).to(device)
        self._first = torch.from_numpy(chunks.offsets[:-1].copy()).to(device)
        self._last = torch.from_numpy(chunks.offsets[1:] - 1).to(device)
        self._length = int(np.diff(chunks.offsets).max())
        self._new = torch.arange(chunks.lists.filed, len(chunks), device=device)
        lists = [chunks.lists.members(number) for number in range(len(chunks.lists.centroids))]
        sizes = np.array([len(part) for part in lists], np.int64)
        self._centroids = None
        if chunks.lists.filed:
            filled = np.flatnonzero(sizes)
            width = sizes.max()
            padded = [np.pad(lists[part], (0, width - sizes[part]), "edge") for part in filled]
            self._typical = int(sizes[filled].mean())
            self._centroids = torch.from_numpy(chunks.lists.centroids[filled]).to(device)
            self._members = torch.from_numpy(np.stack(padded)).to(device)
            self._sizes = torch.from_numpy(sizes[filled]).to(device)

    def synchronise(self) -> None:
        """Wait until the device has done what it was told."""
        if self._contents.is_cuda:
            self._torch.cuda.synchronize()

    def attend_fully(self, query: Floats, beta: float) -> Any:
        """Output (384,) of one softmax over every row."""
        asked = self._asked(query, beta)
        weights = (self._contents @ asked.to(self._contents.dtype)).float().softmax(0)
        return (weights.to(self._contents.dtype) @ self._contents).float()

    def attend(self, query: Floats, beta: float, *, top_chunks: int, candidates: int) -> Any:
        """Rows, weights and output of one softmax over the rows of the kept chunks."""
        torch = self._torch
        asked = self._asked(query, beta)
        if self._centroids is None:
            numbers = torch.arange(len(self._keys), device=asked.device)
        else:
            opened = min(len(self._members), 1 + candidates // self._typical)
            best = (self._centroids @ asked).topk(opened).indices
            place = torch.arange(self._members.shape[1], device=asked.device)
            real = place < self._sizes[best, None]
            numbers = torch.cat([self._members[best][real], self._new])
        relevance = self._keys[numbers] @ asked
        kept = numbers[relevance.topk(min(top_chunks, len(numbers))).indices]
        place = torch.arange(self._length, device=asked.device)
        rows = self._first[kept, None] + place
        rows = rows[rows <= self._last[kept, None]]
        values = self._contents[rows].float()
        weights = (values @ asked).softmax(0)
        return rows, weights, weights @ values

    def _asked(self, query: Floats, beta: float) -> Any:
        return self._torch.from_numpy(np.float32(beta) * query).to(self._keys.device)


# -- measuring ----------------------------------------------------------------------------------


def relative_error(found: Floats, exact: Floats) -> float:
    """Length of the difference over the length of the exact vector."""
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def captured(rows: Ints, weights: Floats, *, heaviest: int = 10) -> float:
    """Share of full attention's weight on its heaviest rows that lies in `rows`."""
    top = np.argpartition(-weights, heaviest)[:heaviest]
    return float(weights[top][np.isin(top, rows)].sum() / weights[top].sum())


@dataclass(frozen=True, slots=True)
class Truth:
    """What full attention answers to each query, and how long that took."""

    weights: list[Floats]
    outputs: list[Floats]
    seconds: list[float]


def full_answers(steps: Steps, queries: Floats, beta: float) -> Truth:
    """Full attention for every query, one after the other."""
    weights, outputs, seconds = [], [], []
    attend_fully(steps.contents, queries[0], beta)
    for query in queries:
        begun = time.perf_counter()
        weight, output = attend_fully(steps.contents, query, beta)
        seconds.append(time.perf_counter() - begun)
        weights.append(weight)
        outputs.append(output)
    return Truth(weights, outputs, seconds)


def compare(
    chunks: StoredChunks, queries: Floats, truth: Truth, options: argparse.Namespace
) -> dict[str, Any]:
    """Hierarchical attention to every query, beside the truth; a ratio above 1 says it is less."""
    steps = len(chunks.contents)
    full = (2 * steps * DIMENSION, steps * DIMENSION * chunks.contents.itemsize)

    def ask(query: Floats, *, joint: bool = True) -> Attended:
        return chunks.attend(
            query,
            beta=options.beta,
            top_chunks=options.top_chunks,
            candidates=options.candidates,
            joint=joint,
        )

    for query in queries[:WARM_UP]:
        ask(query)
    found, seconds = [], []
    for query in queries:
        begun = time.perf_counter()
        found.append(ask(query))
        seconds.append(time.perf_counter() - begun)
    shares, masses, joint, twice = [], [], [], []
    for query, one, weights, output in zip(
        queries, found, truth.weights, truth.outputs, strict=True
    ):
        shares.append(captured(one.rows, weights))
        masses.append(float(weights[one.rows].sum()))
        joint.append(relative_error(one.heads[0].output, output))
        twice.append(relative_error(ask(query, joint=False).heads[0].output, output))
    return {
        "chunks": len(chunks),
        "time": latency(seconds),
        "times_faster": spread(np.array(truth.seconds) / np.array(seconds)),
        "multiply_adds": rounded(float(np.mean([one.work.multiply_adds for one in found]))),
        "bytes": rounded(float(np.mean([one.work.bytes for one in found]))),
        "times_less_work": spread([full[0] / one.work.multiply_adds for one in found]),
        "times_fewer_bytes": spread([full[1] / one.work.bytes for one in found]),
        "top10_mass": rounded(float(np.mean(shares))),
        "mass": rounded(float(np.mean(masses))),
        "error": spread(joint),
        "error_two_softmaxes": spread(twice),
    }


def compare_on_device(
    chunks: StoredChunks, queries: Floats, truth: Truth, options: argparse.Namespace
) -> dict[str, Any]:
    """Time and agreement of both ways on a device."""
    device = OnDevice(chunks, options.device)
    times: dict[str, list[float]] = {"full": [], "hierarchical": []}
    errors, shares = [], []
    limits = {"top_chunks": options.top_chunks, "candidates": options.candidates}
    for turn, query in enumerate([*queries[:WARM_UP], *queries]):
        begun = time.perf_counter()
        device.attend_fully(query, options.beta)
        device.synchronise()
        middle = time.perf_counter()
        rows, _, output = device.attend(query, options.beta, **limits)
        device.synchronise()
        ended = time.perf_counter()
        if turn < WARM_UP:
            continue
        times["full"].append(middle - begun)
        times["hierarchical"].append(ended - middle)
        number = turn - WARM_UP
        errors.append(relative_error(output.cpu().numpy(), truth.outputs[number]))
        shares.append(captured(rows.cpu().numpy(), truth.weights[number]))
    return {
        "device": options.device,
        "full": latency(times["full"]),
        "time": latency(times["hierarchical"]),
        "times_faster": spread(np.array(times["full"]) / np.array(times["hierarchical"])),
        "top10_mass": rounded(float(np.mean(shares))),
        "error": spread(errors),
    }


def measure(rows: int, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one memory of one size."""
    say(f"{size_name(rows)} steps, {kind}")
    steps = make_steps(rows, kind, seed=options.seed)
    queries = queries_of(steps, options.repeat, seed=options.seed)
    truth = full_answers(steps, queries, options.beta)
    top = [np.sort(weights)[-10:].sum() for weights in truth.weights]
    result: dict[str, Any] = {
        "n": rows,
        "data": kind,
        "full": {
            "time": latency(truth.seconds),
            "multiply_adds": 2 * rows * DIMENSION,
            "bytes": steps.contents.nbytes,
            "top10_mass": rounded(float(np.mean(top))),
        },
        "keys": {},
    }
    for name, landmarks in KEYS.items():
        begun = time.perf_counter()
        chunks = StoredChunks(steps.contents, steps.offsets, landmarks=landmarks, seed=options.seed)
        middle = time.perf_counter()
        chunks.file_keys()
        filed = time.perf_counter() - middle
        result["keys"][name] = {
            "build_s": rounded(middle - begun),
            "file_keys_s": rounded(filed),
            **compare(chunks, queries, truth, options),
        }
        if options.device and not landmarks:
            result["device"] = compare_on_device(chunks, queries, truth, options)
    return result


def targets_of(result: dict[str, Any]) -> list[Target]:
    """At a million steps with structure: a hundredth of the work, and what matters kept."""
    if result["n"] < 1_000_000 or result["data"] != "events":
        return []
    found = result["keys"]["mean"]
    at = f"{size_name(result['n'])}, events"
    return [
        Target(f"{at}: times less work", found["times_less_work"]["median"], 100, True),
        Target(f"{at}: top-10 mass", found["top10_mass"], 0.99, True),
    ]


def show(result: dict[str, Any]) -> None:
    """The table of one memory."""
    full = result["full"]
    rows = [("full", f"{full['time']['p50_ms']:g}", "1", "1", "1", "1", "0", "0")]
    for name, part in result["keys"].items():
        rows.append(
            (
                name,
                f"{part['time']['p50_ms']:g}",
                _ratio(part["times_faster"]),
                _ratio(part["times_less_work"]),
                _ratio(part["times_fewer_bytes"]),
                f"{part['top10_mass']:g}",
                _ratio(part["error"]),
                _ratio(part["error_two_softmaxes"]),
            )
        )
    header = (
        "keys",
        "p50, ms",
        "times faster",
        "times less work",
        "times fewer bytes",
        "top-10 mass",
        "error, joint",
        "error, two softmaxes",
    )
    print_table(f"{size_name(result['n'])} steps, {result['data']}", header, rows)
    if "device" in result:
        part = result["device"]
        print(
            f"in torch on {part['device']}: {part['time']['p50_ms']:g} ms, full attention "
            f"{part['full']['p50_ms']:g} ms, {_ratio(part['times_faster'])} times faster; top-10 "
            f"mass {part['top10_mass']:g}, error {_ratio(part['error'])}"
        )


def _ratio(part: dict[str, float]) -> str:
    return f"{part['median']:.3g} ({part['q1']:.3g} to {part['q3']:.3g})"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.attention", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", default="1k,10k,100k,1M", help="for example 1k,1M")
    parser.add_argument("--data", action="append", choices=DATA, help="one memory only; repeatable")
    parser.add_argument("--repeat", type=int, default=40, help="queries a memory, ≥ 20")
    parser.add_argument("--beta", type=float, default=20.0, help="inverse temperature")
    parser.add_argument("--top-chunks", type=int, default=16, help="chunks kept")
    parser.add_argument("--candidates", type=int, default=1_024, help="chunks compared, at least")
    parser.add_argument(
        "--device", help="also in torch, there: cpu or cuda (default: cuda where there is one)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    options.sizes = [parse_size(part) for part in options.sizes.split(",")]
    options.data = options.data or list(DATA)
    options.device = options.device or default_device()
    if options.repeat < 20:
        parser.error("--repeat must be at least 20: ratios need a spread")
    return options


def default_device() -> str | None:
    """`cuda` where torch finds one."""
    try:
        import torch
    except ImportError:
        return None
    return "cuda" if torch.cuda.is_available() else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    begun = time.perf_counter()
    names = ("repeat", "beta", "top_chunks", "candidates", "device")
    config = {"dimension": DIMENSION, **{name: getattr(options, name) for name in names}}
    results, targets = [], []
    for rows in options.sizes:
        for kind in options.data:
            result = measure(rows, kind, options)
            results.append(result)
            targets += targets_of(result)
            if not options.json:
                show(result)
    if not options.json:
        print_targets(targets)
        print(f"{today()} · {json.dumps(machine())} · {json.dumps(config)}")
        return
    print_json(
        {
            "benchmark": "attention",
            "n": options.sizes,
            "seed": options.seed,
            "config": config,
            "date": today(),
            "machine": machine(),
            "seconds": round(time.perf_counter() - begun, 1),
            "results": results,
            "targets": [target.to_json() for target in targets],
        }
    )


if __name__ == "__main__":
    main()
