"""From a picture to a memory of it, in a simulated home, at 320x240.

    python -m benchmarks.perceiving
    python -m benchmarks.perceiving --seed 3 --frames 200 --json

A robot tours the home. Of every picture: drawing it (which a camera does for a real robot), seeing
what is in it and where, handing it in, and all that passes from the picture until it is on disk
and recall finds it, which only pictures worth keeping go through. A real robot takes two pictures
a second; this one takes the next as soon as it is done with the last.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import (
    Target,
    latency,
    machine,
    print_json,
    print_table,
    print_targets,
    say,
    today,
)
from memory_core import RobotMemory
from memory_core.interfaces.opening import encoder_of
from memory_core.planning.planner import Planner
from memory_sim.house_days import PATROL, START_NS
from memory_sim.perceiving import Timings
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

KNOWN_P99_MS = 100.0
WARM_UP = 10
PARTS = ("render", "perceive", "remember", "known")


def tour(seed: int, frames: int, encoder: str, folder: Path) -> tuple[Timings, float, float]:
    """Tour a home until so many pictures were taken.

    Args:
        seed: Of the home.
        frames: How many.
        encoder: Of the memory's words, as `--encoder` names it.
        folder: Of the memory.

    Returns:
        Timings, and the simulated and the computed seconds of the tour.
    """
    with (
        World(plan_home(seed)) as world,
        RobotMemory.open(folder, text_encoder=encoder_of(encoder)) as memory,
    ):
        robot = HouseRobot(world, memory, start_ns=START_NS, session="tour")
        planner = Planner(memory, robot.body(), session=robot.session)
        begun = time.process_time()
        planner.do(PATROL, interrupted=lambda: len(robot.timings.render) >= frames)
        robot.settle()
        spent = time.process_time() - begun
        return robot.timings, (robot.base.stamp_ns - START_NS) * 1e-9, spent


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    say(f"a tour of home {options.seed}, {options.frames} pictures")
    with tempfile.TemporaryDirectory() as folder:
        timings, simulated_s, cpu_s = tour(
            options.seed, options.frames, options.encoder, Path(folder) / "memory"
        )
    told = {part: latency(getattr(timings, part)[WARM_UP:]) for part in PARTS}
    kept = len(timings.known)
    day_s = cpu_s / simulated_s * 1_200
    targets = [
        Target("from a picture to its memory, p99 ms", told["known"]["p99_ms"], KNOWN_P99_MS),
        Target("processor seconds for a day of 20 minutes", day_s, 90.0),
    ]
    if options.json:
        print_json(
            {"date": today(), "machine": machine(), "n": len(timings.render), "kept": kept,
             "parts": told, "simulated_s": round(simulated_s, 1), "cpu_s": round(cpu_s, 2),
             "config": {"seed": options.seed, "encoder": options.encoder, "pixels": "320x240"},
             "targets": [target.to_json() for target in targets]}
        )  # fmt: skip
    else:
        header = list(told["known"])
        rows = [[part, *(f"{told[part][key]:,}" for key in header)] for part in PARTS]
        title = f"{len(timings.render)} pictures, {kept} kept, {simulated_s:.0f} simulated seconds"
        print_table(title, ["part", *header], rows)
        print_targets(targets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
