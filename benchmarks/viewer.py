"""The viewer on a large memory: time to the first view, and frames a second while one moves it.

    python -m benchmarks.viewer --observations 50k
    python -m benchmarks.viewer --memory DIR

Headless Chromium draws without a graphics card. A frame is counted where the map was drawn anew
between two animation frames of the page; it is panned and zoomed by the pointer all the while.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Page, sync_playwright

from benchmarks.common import (
    Target,
    machine,
    parse_size,
    print_json,
    print_targets,
    rounded,
    wander,
)
from memory_core import Observation, Pose, RobotMemory
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web.app import create_app

FIRST_VIEW_S, FRAMES_PER_S = 2.0, 30.0
MOVING_S = 5
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run",
]  # fmt: skip
MOVING = """
async (seconds) => {
  const map = document.querySelector("#map");
  const box = map.getBoundingClientRect();
  const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  const begun = performance.now(), before = Number(map.dataset.frames), gaps = [];
  for (let i = 0, last = begun; last - begun < seconds * 1000; i++) {
    const deltaY = Math.floor(i / 15) % 2 ? -12 : 12;
    map.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY, bubbles: true, cancelable: true }));
    map.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "ArrowLeft" : "ArrowRight" }));
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  const taken = (performance.now() - begun) / 1000;
  gaps.sort((a, b) => a - b);
  return {
    frames_per_s: (Number(map.dataset.frames) - before) / taken,
    gap_p50_ms: gaps[Math.floor(gaps.length * 0.5)],
    gap_p95_ms: gaps[Math.floor(gaps.length * 0.95)],
    paint_ms: Number(map.dataset.paint),
    points: Number(map.dataset.points),
  };
}
"""


def remember(folder: Path, count: int) -> None:
    """Observations of a robot that drives through one floor."""
    positions = wander(count, seed=1)
    positions[:, 2] = 0.0
    with RobotMemory.open(folder, text_encoder=None) as memory:
        for start in range(0, count, 1_000):
            memory.observe(
                Observation(f"o{number}", (1_700_000_000 + number) * 10**9, pose=Pose(*position))
                for number, position in enumerate(positions[start : start + 1_000].tolist(), start)
            )
        memory.organise()


@contextmanager
def served(memory: RobotMemory) -> Iterator[str]:
    """The address of a server over a memory."""
    app = create_app(MemoryService(memory))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        app.feed.stop()
        server.should_exit = True
        thread.join()


def measure(page: Page, address: str) -> dict[str, Any]:
    """Open the page, then move the map."""
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#map[data-points]")
    first = time.perf_counter() - begun
    page.wait_for_selector(".node, .wood .quiet")
    whole = time.perf_counter() - begun
    page.wait_for_timeout(1_500)  # the map flies to its place
    moved = page.evaluate(MOVING, MOVING_S)
    return {"first_view_s": rounded(first), "with_forest_s": rounded(whole), **moved}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=parse_size, default=50_000)
    parser.add_argument("--memory", type=Path, help="an existing memory, opened read-only")
    options = parser.parse_args()
    chromium = os.environ.get("ROBOT_MEMORY_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as made:
        folder = options.memory or Path(made)
        if options.memory is None:
            remember(folder, options.observations)
        with RobotMemory.open(folder, read_only=True, text_encoder=None) as memory:
            memory.forest()  # as a server that has been up for a while
            with served(memory) as address, sync_playwright() as browsers:
                browser = browsers.chromium.launch(executable_path=chromium, args=FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                result = measure(page, address)
                browser.close()
            result["observations"] = memory.store.count()
    targets = [
        Target("first view, s", result["first_view_s"], FIRST_VIEW_S),
        Target("frames a second", result["frames_per_s"], FRAMES_PER_S, above=True),
    ]
    print_json(result | {"targets": [t.to_json() for t in targets], "machine": machine()})
    print_targets(targets)


if __name__ == "__main__":
    main()
