"""The GPU index beside the CPU index: the same random unit vectors, the same questions.

    python -m benchmarks.gpu --sizes 1M,10M

Needs torch, faiss with its GPU part, and numpy. Without a usable GPU it says so and ends well.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
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
    resident_bytes,
    rounded,
    say,
    size_name,
    spread,
    today,
    unit,
)
from memory_core.episodic.gpu import FaissGpuIndex, gpu_available
from memory_core.episodic.vectors import CpuIndex, VectorIndex

K = 10
BLOCK = 50_000
FRACTIONS = (1.0, 0.01, 0.1)
WARM_UP = 3


def block_of(start: int, stop: int, *, seed: int) -> Floats:
    """Random unit vectors of some rows, float16; the same call gives the same vectors."""
    chance = np.random.default_rng([seed, start])
    return unit(chance.standard_normal((stop - start, DIMENSION), dtype=np.float32)).astype(
        np.float16
    )


def fill(indexes: dict[str, VectorIndex], rows: int, *, seed: int) -> dict[str, dict[str, float]]:
    """Add the same rows to every index.

    Returns:
        By name, seconds in all and vectors a second; making the vectors is not counted.
    """
    taken = dict.fromkeys(indexes, 0.0)
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        vectors = block_of(start, stop, seed=seed)
        rowids = np.arange(start + 1, stop + 1)
        for name, index in indexes.items():
            begun = time.perf_counter()
            index.add(rowids, vectors)
            synchronise()
            taken[name] += time.perf_counter() - begun
        if start % (20 * BLOCK) == 0:
            say(f"  {stop:,} of {rows:,} rows")
    return {
        name: {"seconds": rounded(seconds), "per_s": rounded(rows / seconds)}
        for name, seconds in taken.items()
    }


def synchronise() -> None:
    """Wait until the GPU has done what it was told."""
    import torch

    torch.cuda.synchronize()


def gpu_bytes() -> int:
    """Memory of the GPU in use by everybody; nothing else should run there."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return int(total - free)


def questions(count: int, *, seed: int) -> Floats:
    """Random unit vectors, shape (count, 384), float32."""
    chance = np.random.default_rng([seed, 2**31])
    return unit(chance.standard_normal((count, DIMENSION), dtype=np.float32))


def mask_of(rowids: Ints, rows: int) -> Any:
    """Which of so many rows are among rowids that count from 1, shape (rows,), bool."""
    mask = np.zeros(rows, bool)
    mask[rowids - 1] = True
    return mask


def exact_answers(cpu: CpuIndex, asked: Floats, allowed: Sequence[Ints | None]) -> list[set[int]]:
    """The first K rowids of every question by a plain product in float32, block by block.

    Args:
        cpu: Whose stored float16 vectors are the truth; rowids count from 1 without gaps.
        asked: Shape (n, 384).
        allowed: For each question the rowids that may be returned; None for all.
    """
    rows = len(cpu.rowids)
    scores = np.full((len(asked), 0), 0, np.float32)
    found = np.zeros((len(asked), 0), np.int64)
    masks = [None if part is None else mask_of(part, rows) for part in allowed]
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        block = asked @ cpu.vectors[start:stop].astype(np.float32).T
        for row, mask in enumerate(masks):
            if mask is not None:
                block[row, ~mask[start:stop]] = -np.inf
        scores = np.concatenate([scores, block], axis=1)
        numbers = np.broadcast_to(np.arange(start + 1, stop + 1), block.shape)
        found = np.concatenate([found, numbers], axis=1)
        first = np.argpartition(-scores, min(K, scores.shape[1]) - 1, axis=1)[:, :K]
        scores = np.take_along_axis(scores, first, axis=1)
        found = np.take_along_axis(found, first, axis=1)
    return [set(row.tolist()) for row in found]


def compare(
    indexes: dict[str, VectorIndex], cpu: CpuIndex, fraction: float, count: int, *, seed: int
) -> dict[str, Any]:
    """Search every index in turn, question by question.

    A ratio above 1 says how many times faster the GPU was.
    """
    rows = len(cpu.rowids)
    asked = questions(count, seed=seed)
    chance = np.random.default_rng([seed, 3])
    wanted = max(K, round(rows * fraction))
    allowed: list[Ints | None] = [
        None if fraction == 1 else np.sort(chance.choice(rows, wanted, replace=False)) + 1
        for _ in asked
    ]
    truth = exact_answers(cpu, asked, allowed)
    times: dict[str, list[float]] = {name: [] for name in indexes}
    shares: dict[str, list[float]] = {name: [] for name in indexes}
    for index in indexes.values():
        for vector in asked[:WARM_UP]:
            index.search(vector, K, allowed=allowed[0])
    for vector, part, exact in zip(asked, allowed, truth, strict=True):
        for name, index in indexes.items():
            begun = time.perf_counter()
            hits = index.search(vector, K, allowed=part)
            times[name].append(time.perf_counter() - begun)
            shares[name].append(len(exact & set(hits.rowids.tolist())) / len(exact))
    return {
        "fraction": fraction,
        "filtered": fraction != 1,
        **{
            name: {"recall@10": rounded(float(np.mean(shares[name]))), **latency(times[name])}
            for name in indexes
        },
        "ratio": spread(np.array(times["cpu"]) / np.array(times["gpu"])),
    }


def measure(rows: int, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Everything at one size."""
    say(f"{size_name(rows)} vectors")
    before_host, before_gpu = resident_bytes()["RssAnon"], gpu_bytes()
    cpu = CpuIndex(DIMENSION, path=folder / f"{rows}.f16")
    gpu = FaissGpuIndex(DIMENSION)
    indexes: dict[str, VectorIndex] = {"gpu": gpu, "cpu": cpu}
    added = fill(indexes, rows, seed=options.seed)
    result: dict[str, Any] = {"n": rows, "add": added, "training_s": 0.0}
    if options.train and cpu.wants_training():
        say("  training the CPU index's lists")
        begun = time.perf_counter()
        cpu.train(seed=options.seed)
        result["training_s"] = rounded(time.perf_counter() - begun)
    result["search"] = []
    for fraction in FRACTIONS:
        say(f"  search, {fraction:.0%} selected")
        found = compare(indexes, cpu, fraction, options.repeat, seed=options.seed)
        result["search"].append(found)
    result["gpu_bytes_per_vector"] = rounded((gpu_bytes() - before_gpu) / rows)
    host = resident_bytes()["RssAnon"] - before_host
    result["host_bytes_per_vector"] = rounded(host / rows)
    return result


def targets_of(result: dict[str, Any]) -> list[Target]:
    """The GPU must be as exact as the CPU is meant to be."""
    at = size_name(result["n"])
    return [
        Target(f"{at}, {part['fraction']:.0%}: GPU recall@10", part["gpu"]["recall@10"], 0.99, True)
        for part in result["search"]
    ]


def show(result: dict[str, Any]) -> None:
    """The tables of one size."""
    title = f"{size_name(result['n'])} random unit vectors of {DIMENSION}"
    rows = []
    for part in result["search"]:
        ratio = part["ratio"]
        for name in ("gpu", "cpu"):
            row = part[name]
            rows.append(
                (
                    f"{part['fraction']:.0%}" if part["filtered"] else "no filter",
                    name,
                    f"{row['recall@10']:g}",
                    f"{row['p50_ms']:g} / {row['p95_ms']:g}",
                    f"{ratio['median']:g} ({ratio['q1']:g} to {ratio['q3']:g})"
                    if name == "cpu"
                    else "1",
                )
            )
    header = ("selected", "index", "recall@10", "p50/p95, ms", "times the GPU's")
    print_table(f"{title}: search", header, rows)
    facts = [
        ("added to the GPU, vectors/s", f"{result['add']['gpu']['per_s']:,.0f}"),
        ("added to the CPU, vectors/s", f"{result['add']['cpu']['per_s']:,.0f}"),
        ("training of the CPU's lists, s", f"{result['training_s']:g}"),
        ("GPU bytes a vector", f"{result['gpu_bytes_per_vector']:,}"),
        ("host bytes a vector (not mapped files)", f"{result['host_bytes_per_vector']:,}"),
    ]
    print_table(f"{title}: size", ("what", ""), facts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", default="1M,10M", help="for example 1M,10M")
    parser.add_argument("--repeat", type=int, default=50, help="questions a fraction, ≥ 20")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the CPU's file is made (temporary)")
    parser.add_argument(
        "--no-train", dest="train", action="store_false", help="leave the CPU exact, without lists"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    options.sizes = [parse_size(part) for part in options.sizes.split(",")]
    if options.repeat < 20:
        parser.error("--repeat must be at least 20: ratios need a spread")
    return options


def gpu_name() -> str:
    """The GPU's model."""
    import torch

    return str(torch.cuda.get_device_name(0))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, where there is a GPU."""
    options = parse(arguments)
    if not gpu_available():
        say("no GPU: not run")
        if options.json:
            print_json({"benchmark": "gpu", "ran": False, "date": today(), "machine": machine()})
        return
    begun = time.perf_counter()
    computer = {**machine(), "gpu": gpu_name()}
    config = {"repeat": options.repeat, "train": options.train, "dimension": DIMENSION, "k": K}
    results, targets = [], []
    for rows in options.sizes:
        with tempfile.TemporaryDirectory(prefix="gpu-", dir=options.folder) as temporary:
            result = measure(rows, Path(temporary), options)
        results.append(result)
        targets += targets_of(result)
        if not options.json:
            show(result)
    if not options.json:
        print_targets(targets)
        print(f"{today()} · {json.dumps(computer)} · {json.dumps(config)}")
        return
    print_json(
        {
            "benchmark": "gpu",
            "ran": True,
            "n": options.sizes,
            "seed": options.seed,
            "config": config,
            "date": today(),
            "machine": computer,
            "seconds": round(time.perf_counter() - begun, 1),
            "results": results,
            "targets": [target.to_json() for target in targets],
        }
    )


if __name__ == "__main__":
    main()
