"""Detectors: a picture with depth in, labels with masks and scores out.

`SegmentationDetector` knows from the renderer which pixels belong together and what they show; it
misses, mixes up and misplaces as much as it is told to. Nothing but label, mask and score leaves
it. `open_vocabulary` and others stand behind the same seam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from memory_core.types import BoolArray
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.kinds import FURNITURE, furniture_kind
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.scene import HANDLE, owners_in
from memory_sim.worlds.home.things import THINGS
from memory_sim.worlds.home.world import World


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector says of a picture.

    Attributes:
        label: What it takes the thing for.
        mask: Which pixels, shape (h, w).
        score: How sure it is, 0 to 1.
    """

    label: str
    mask: BoolArray
    score: float


class Detector(Protocol):
    """Finds things in pictures."""

    def __call__(self, frame: Frame) -> list[Detection]:
        """The things in a picture, in no particular order."""


class SegmentationDetector:
    """Detections from the renderer's segmentation, with errors of every kind a detector makes."""

    def __init__(
        self,
        world: World,
        *,
        misses: float = 0.0,
        confusions: float = 0.0,
        position_noise_m: float = 0.0,
        seed: int = 0,
        min_pixels: int = 20,
    ) -> None:
        """Take over what the world's things are called.

        Args:
            world: Whose pictures it is shown.
            misses: Share of detections that are left out, 0 to 1.
            confusions: Share of the others that get a similar thing's label, 0 to 1.
            position_noise_m: Spread by which masks lie beside their things, metres.
            seed: Of its errors.
            min_pixels: Smaller patches are not seen.

        Raises:
            ValueError: A share is not between 0 and 1, or a number is negative.
        """
        if not (0 <= misses <= 1 and 0 <= confusions <= 1):
            raise ValueError(f"misses {misses}, confusions {confusions}; expected 0 to 1")
        if position_noise_m < 0 or min_pixels < 1:
            raise ValueError(
                f"position noise {position_noise_m} m, {min_pixels} pixels; expected 0 or more, 1 or more"
            )
        self._misses, self._confusions = misses, confusions
        self._noise_m, self._min_pixels = position_noise_m, min_pixels
        self._random = np.random.default_rng(seed)
        owners = owners_in(world)
        self._labels = [owner.label if owner else "" for owner in owners]
        self._wholes = _wholes(world)
        self._similar = similar_labels(world.plan)

    def __call__(self, frame: Frame) -> list[Detection]:
        """The things in a picture, in no particular order."""
        counts = np.bincount(frame.owners.ravel(), minlength=len(self._labels)).tolist()
        found = []
        for number, label in enumerate(self._labels):
            members = self._wholes.get(number, (number,))
            pixels = sum(counts[member] for member in members)
            if not label or pixels < self._min_pixels or self._random.random() < self._misses:
                continue
            mask = np.isin(frame.owners, members) if len(members) > 1 else frame.owners == number
            score = (0.5 + 0.49 * (1 - math.exp(-pixels / 300))) * self._random.uniform(0.95, 1.0)
            if self._confusions and self._random.random() < self._confusions:
                others = self._similar.get(label, ())
                if others:
                    label = others[int(self._random.integers(len(others)))]
                    score *= self._random.uniform(0.6, 1.0)
            found.append(Detection(label, self._misplaced(mask, frame), float(score)))
        return found

    def _misplaced(self, mask: BoolArray, frame: Frame) -> BoolArray:
        """The mask beside its thing: a shift in the picture by metres at the thing's depth."""
        if self._noise_m == 0:
            return mask
        depths = frame.depth_m[mask]
        depth = float(np.median(depths[depths > 0])) if np.any(depths > 0) else 1.0
        right, down = self._random.normal(0, self._noise_m * frame.intrinsics.fx / depth, 2)
        return _shifted(mask, round(right), round(down))


def _shifted(mask: BoolArray, right: int, down: int) -> BoolArray:
    rows, columns = np.nonzero(mask)
    rows, columns = rows + down, columns + right
    height, width = mask.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved = np.zeros_like(mask)
    moved[rows[inside], columns[inside]] = True
    return moved


def _wholes(world: World) -> dict[int, tuple[int, ...]]:
    """Which owners' pixels make up a drawer with its handle, and furniture with its drawers."""
    owners = owners_in(world)
    parts: dict[str, list[int]] = {}
    for number, owner in enumerate(owners):
        if owner is not None:
            parts.setdefault(owner.id, []).append(number)
    wholes: dict[int, tuple[int, ...]] = {}
    for name, joint in world.joints.items():
        first = parts[name][0]
        wholes[first] = tuple(parts[name])
        if joint.kind.label != "door":  # a door in a doorway is its leaf
            own = parts[joint.furniture][0]
            wholes[own] = (*wholes.get(own, (own,)), *parts[name])
    return wholes


def similar_labels(plan: HomePlan) -> dict[str, tuple[str, ...]]:
    """What each label is mixed up with: other colours and like shapes, furniture of like size."""
    similar: dict[str, tuple[str, ...]] = {}
    for thing in plan.things:
        shape = THINGS[thing.kind].shape
        alike = {
            other.label
            for other in plan.things
            if other.label != thing.label
            and (other.kind == thing.kind or THINGS[other.kind].shape == shape)
        }
        colours = [c for c in THINGS[thing.kind].colours if c != thing.colour]
        similar[thing.label] = tuple(sorted(alike)) or tuple(f"{c} {thing.kind}" for c in colours)
    for label in FURNITURE:
        similar[label] = _like_furniture(label)
    fronts = sorted({o.label for p in plan.furniture for o in p.kind.openings if o.label != "door"})
    for label in fronts:
        similar[label] = tuple(other for other in fronts if other != label)
    similar.pop(HANDLE, None)
    return similar


def _like_furniture(label: str) -> tuple[str, ...]:
    size = np.array(furniture_kind(label, 0).size)
    others = sorted(
        (float(np.linalg.norm(size - furniture_kind(other, 0).size)), other)
        for other in FURNITURE
        if other != label
    )
    return tuple(other for _, other in others[:3])
