"""How fast the table goes, and whether it grows.

    python -m benchmarks.table
    python -m benchmarks.table --steps 400 --resets 1000 --json

Control steps a second of processor time with no camera, one and three, with an arm that moves all the
time; then one environment is reset many times.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import gymnasium
import numpy as np
import psutil

from benchmarks.common import (
    Target,
    machine,
    print_json,
    print_table,
    print_targets,
    say,
    today,
)
from memory_sim.tasks.table import IDS, to_action
from memory_sim.worlds.table.camera import CAMERAS

TASKS = (
    "MIKASA/RememberColor9-v0", "MIKASA/RememberShapeAndColor5x3-v0", "MIKASA/ShellGameTouch-v0",
    "MIKASA/InterceptFast-v0", "MemoryBench/ReopenDrawer-v0",
)  # fmt: skip
LEAST_STEPS, LEAST_RENDERED = 400, 25
MOST_GROWTH_MB = 10


def steps_per_second(task: str, cameras: tuple[str, ...], steps: int) -> float:
    """Steps in a second of processor time, resets left out."""
    env = gymnasium.make(task, cameras=cameras, disable_env_checker=True)
    random = np.random.default_rng(0)
    env.reset(seed=0)
    spent = 0.0
    for _ in range(steps):
        action = to_action(random.uniform(-0.02, 0.02, 3), np.zeros(3), 0.08)
        begun = time.process_time()
        *_, ended, truncated, _ = env.step(action)
        spent += time.process_time() - begun
        if ended or truncated:
            env.reset()
    env.close()
    return steps / spent


def growth(resets: int) -> dict[str, float]:
    """What many resets cost, and what they leave behind after the first tenth."""
    env = gymnasium.make(TASKS[1], cameras=CAMERAS[:1], disable_env_checker=True)
    process, still = psutil.Process(), to_action(np.zeros(3), np.zeros(3), 0.08)
    files = memory = 0
    begun = time.process_time()
    for number in range(resets):
        env.reset(seed=number)
        env.step(still)
        if number == resets // 10:
            files, memory = process.num_fds(), process.memory_info().rss
    spent = time.process_time() - begun
    found = {
        "resets": resets, "reset_ms": round(spent / resets * 1e3, 2),
        "grown_mb": round((process.memory_info().rss - memory) / 1e6, 2),
        "grown_files": process.num_fds() - files,
    }  # fmt: skip
    env.close()
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--resets", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for task in TASKS:
        assert task in IDS
        say(task)
        speeds = {count: round(steps_per_second(task, CAMERAS[:count], options.steps // (1 + count)))
                  for count in (0, 1, 3)}  # fmt: skip
        rows.append({"task": task, "cameras": speeds})
    say(f"{options.resets} resets")
    grown = growth(options.resets)
    targets = [
        Target("steps a second without pictures", min(r["cameras"][0] for r in rows), LEAST_STEPS, True),
        Target("steps a second with one camera", min(r["cameras"][1] for r in rows), LEAST_RENDERED, True),
        Target("megabytes grown", grown["grown_mb"], MOST_GROWTH_MB),
        Target("open files grown", grown["grown_files"], 0),
    ]  # fmt: skip
    if options.json:
        print_json({"date": today(), "machine": machine(), "tasks": rows, "growth": grown,
                    "config": {"steps": options.steps, "pixels": "128x128", "renderer": "TinyRenderer"},
                    "targets": [target.to_json() for target in targets]})  # fmt: skip
    else:
        cells = [
            [row["task"], *(f"{row['cameras'][count]:,}" for count in (0, 1, 3))] for row in rows
        ]
        print_table(
            "control steps in a second of processor time",
            ["task", "no camera", "one", "three"],
            cells,
        )
        print_table("resets", list(grown), [[f"{value:,}" for value in grown.values()]])
        print_targets(targets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
