"""How the segmenter and the namer learn; the same seed gives the same weights on one thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from memory_core.types import FloatArray
from memory_sim.detecting.looks import NO_COLOUR, Looks
from memory_sim.detecting.network import Namer, Segmenter
from memory_sim.detecting.targets import GRAIN, LIGHTER, TINTED, piece_of, together
from memory_sim.detecting.views import Views

HEAT_WEIGHT, WAY_WEIGHT = 200.0, 0.5
WARMING = 0.05
"""Share of the steps in which the rate grows; then it falls to nothing along a cosine."""
KEEP_EVERY = 200
"""Steps from one state that is kept on disk to the next."""
MOST_MOVED, MOST_ASTRAY = 3, 1
"""Windows are learned from moved by so many pixels at most, and their masks by so many more."""
SMOOTHING = 0.05
"""Share of certainty that is spread over all kinds (Szegedy et al. 2016)."""

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a network learns.

    Attributes:
        steps: Of the segmenter.
        batch: Pieces of pictures a step.
        size: Rows and columns of a piece.
        naming_steps: Of the namer.
        naming_batch: Windows a step.
        rate: Highest learning rate of AdamW (Loshchilov, Hutter 2019).
        seed: Of the weights, of what is shown and of how it is varied.
    """

    steps: int = 12_000
    batch: int = 8
    size: tuple[int, int] = (128, 192)
    naming_steps: int = 4_000
    naming_batch: int = 64
    rate: float = 3e-3
    seed: int = 0


def learn_to_segment(
    views: Views, schedule: Schedule, *, kept: Path | None = None, progress: Progress | None = None
) -> Segmenter:
    """A segmenter that has learned from pictures.

    Args:
        views: To learn from.
        schedule: How.
        kept: Where its state is kept; learning goes on from what is there.
        progress: Told steps done and steps in all.
    """
    torch.manual_seed(schedule.seed)
    segmenter: Segmenter = Segmenter().to(memory_format=torch.channels_last).train()

    def loss(step: int) -> torch.Tensor:
        random = np.random.default_rng([schedule.seed, 1, step])
        numbers = random.integers(len(views), size=schedule.batch)
        pieces = [piece_of(views, int(n), schedule.size, random) for n in numbers]
        pictures = torch.from_numpy(np.stack([piece[0] for piece in pieces]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            told = segmenter(pictures.to(memory_format=torch.channels_last))
        parts, furniture = together([p[1] for p in pieces]), together([p[2] for p in pieces])
        return _loss(told.parts, told.part_heat, told.part_way, parts) + _loss(
            told.furniture, told.furniture_heat, told.furniture_way, furniture
        )

    _learn(segmenter, loss, schedule.steps, schedule.rate, kept, progress)
    segmenter.eval()
    return segmenter


def _loss(
    classes: torch.Tensor, heat: torch.Tensor, way: torch.Tensor, wanted: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Of one layer: classes, heat and ways, as in Panoptic-DeepLab."""
    classes, heat, way = classes.float(), heat.float(), way.float()
    weights = wanted["weights"]
    each = functional.cross_entropy(classes, wanted["classes"], reduction="none")
    inside = (wanted["classes"] > 0) * weights
    apart = (way - wanted["way"]).abs().sum(1)
    return (
        (each * weights).sum() / weights.sum()
        + HEAT_WEIGHT * functional.mse_loss(heat, wanted["heat"])
        + WAY_WEIGHT * (apart * inside).sum() / inside.sum().clamp(min=1)
    )


def learn_to_name(
    looks: Looks,
    schedule: Schedule,
    *,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> Namer:
    """A namer that has learned from windows.

    Args:
        looks: The windows, and what they truly show.
        schedule: How.
        kept: Where its state is kept; learning goes on from what is there.
        progress: Told steps done and steps in all.
    """
    torch.manual_seed(schedule.seed + 1)
    namer: Namer = Namer().to(memory_format=torch.channels_last).train()

    def loss(step: int) -> torch.Tensor:
        random = np.random.default_rng([schedule.seed, 2, step])
        numbers = random.integers(len(looks.names), size=schedule.naming_batch)
        shown = torch.from_numpy(_otherwise(looks.windows[numbers].astype(np.float32), random))
        wanted = torch.from_numpy(looks.names[numbers])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            kinds, colours = namer(shown.to(memory_format=torch.channels_last))
        named = functional.cross_entropy(kinds.float(), wanted[:, 0], label_smoothing=SMOOTHING)
        return named + functional.cross_entropy(
            colours.float(), wanted[:, 1], ignore_index=NO_COLOUR
        )

    _learn(namer, loss, schedule.naming_steps, schedule.rate, kept, progress)
    namer.eval()
    return namer


def _otherwise(shown: FloatArray, random: np.random.Generator) -> FloatArray:
    """Windows in another light, mirrored, moved, with masks that are wrong by a little."""
    count = len(shown)
    light = 1 + random.uniform(-LIGHTER, LIGHTER, (count, 1)) / 2
    light = light + random.uniform(-TINTED, TINTED, (count, 3)) / 2
    shown[:, :3] = (shown[:, :3] + 1) * light[:, :, None, None].astype(np.float32) - 1
    shown[:, :4] += GRAIN / 127.5 * random.standard_normal(shown[:, :4].shape, dtype=np.float32)
    for number in range(count):
        if random.random() < 0.5:
            shown[number] = shown[number, :, :, ::-1].copy()
        moved = random.integers(-MOST_MOVED, MOST_MOVED + 1, 2)
        shown[number] = np.roll(shown[number], moved, axis=(1, 2))
        astray = random.integers(-MOST_ASTRAY, MOST_ASTRAY + 1, 2)
        shown[number, 4] = np.roll(shown[number, 4], astray, axis=(0, 1))
    return shown


def _learn(
    model: Any,
    loss: Callable[[int], torch.Tensor],
    steps: int,
    rate: float,
    kept: Path | None,
    progress: Progress | None,
) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    begin = 0
    if kept is not None and kept.exists():
        state = torch.load(kept, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        begin = state["step"]
    for step in range(begin, steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * _share(step / steps)
        optimiser.zero_grad(set_to_none=True)
        loss(step).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        if kept is not None and ((step + 1) % KEEP_EVERY == 0 or step + 1 == steps):
            unfinished = kept.with_suffix(".part")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "step": step + 1,
                },
                unfinished,
            )
            unfinished.replace(kept)
        if progress is not None:
            progress(step + 1, steps)


def _share(done: float) -> float:
    """Of the highest rate, at a share of the steps."""
    if done < WARMING:
        return done / WARMING
    return 0.5 * (1 + math.cos(math.pi * (done - WARMING) / (1 - WARMING)))
