"""The network as a detector of the simulated home: a frame in, labels with masks and scores out.

Of a frame it takes the picture, the depth and how far the camera is tilted, which the joints of
the head tell a robot; where the camera is in the map it does not use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from memory_core.errors import EncodingError
from memory_core.types import BoolArray, FloatArray, IntArray
from memory_sim.detecting.classes import (
    COLOUR_NAMES,
    FURNITURES,
    KINDS,
    PARTS,
    THING,
    exact_name,
    thing_labels,
)
from memory_sim.detecting.instances import Instance, instances
from memory_sim.detecting.network import (
    FURNITURE_STRIDE,
    PARTS_STRIDE,
    Network,
    group_of,
    load,
)
from memory_sim.detecting.pictures import channels, windows
from memory_sim.detecting.views import tilt_of
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.detectors import Detection
from memory_sim.worlds.home.things import THINGS

MIN_PIXELS = 20
"""Smaller patches are not told."""
SURE = 0.35
"""What is told is at least so certain."""
THING_DEPTH_M = 0.25
"""Pixels further than this before or behind the middle of a small thing are not its own."""

_PART_GROUPS = [0, *(group_of(part) for part in range(1, len(PARTS)))]
_FURNITURE_GROUPS = [0] * len(FURNITURES)
_THING = PARTS.index(THING)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the segmenter found in a picture, before things are named.

    Attributes:
        places: Numbers of things, handles and fronts, at half size.
        parts: What these are, by number of `PARTS`.
        wholes: Numbers of furniture, at quarter size.
        furniture: What these are, by number of `FURNITURES`.
    """

    places: IntArray
    parts: list[Instance]
    wholes: IntArray
    furniture: list[Instance]

    @property
    def things(self) -> list[Instance]:
        """Small things of any kind."""
        return [found for found in self.parts if found.class_number == _THING]


def segment(network: Network, picture: FloatArray) -> Seen:
    """Find what there is in a picture, not yet which things.

    Args:
        network: That looks.
        picture: As `pictures.channels` makes it, shape (6, h, w).
    """
    with torch.inference_mode():
        shown = torch.from_numpy(picture)[None].to(memory_format=torch.channels_last)
        told = network.segmenter(shown)
    places, parts = instances(
        told.parts[0].numpy(), told.part_heat[0].numpy(), told.part_way[0].numpy(), _PART_GROUPS
    )
    wholes, furniture = instances(
        told.furniture[0].numpy(), told.furniture_heat[0].numpy(), told.furniture_way[0].numpy(),
        _FURNITURE_GROUPS,
    )  # fmt: skip
    return Seen(places, parts, wholes, furniture)


class NetworkDetector:
    """Finds furniture, drawers, doors, handles and small things."""

    def __init__(
        self, labels: Sequence[str] | None = None, *, network: Network | None = None,
        sure: float = SURE,
    ) -> None:  # fmt: skip
        """Make ready to look.

        Args:
            labels: What small things are called in this household, as an open-vocabulary detector
                is told what to look for; None calls all by kind and colour.
            network: That looks; None takes the one that comes with this package.
            sure: What is less certain is not told, 0 to 1.

        Raises:
            NotInstalled: torch or safetensors is missing.
            EncodingError: The weights cannot be read, or a label is none that the network knows.
        """
        known = thing_labels()
        chosen = _exact_names() if labels is None else tuple(dict.fromkeys(labels))
        strange = sorted(set(chosen) - set(known))
        if strange:
            raise EncodingError(f"the network has no words for {', '.join(strange)}")
        self._network = network if network is not None else load()
        self._sure = sure
        self._labels = chosen
        meant = np.zeros((len(chosen), len(KINDS), len(COLOUR_NAMES)), np.float32)
        for number, label in enumerate(chosen):
            for kind, colour in known[label]:
                meant[number, kind, colour] = 1
        self._meant = meant.reshape(len(chosen), len(KINDS) * len(COLOUR_NAMES))

    def __call__(self, frame: Frame) -> list[Detection]:
        """The things in a picture, in no particular order."""
        depth = frame.depth_m
        picture = channels(frame.image, depth, tilt_of(frame.camera_pose))
        seen = segment(self._network, picture)
        found = []
        for instance in seen.furniture:
            mask = _enlarged(seen.wholes == instance.number, FURNITURE_STRIDE, depth.shape)
            found.append(Detection(FURNITURES[instance.class_number], mask, instance.score))
        for instance in seen.parts:
            if instance.class_number != _THING:
                mask = _enlarged(seen.places == instance.number, PARTS_STRIDE, depth.shape)
                found.append(Detection(PARTS[instance.class_number], mask, instance.score))
        found += self._named(seen, picture, depth)
        return [
            each for each in found if each.score >= self._sure and each.mask.sum() >= MIN_PIXELS
        ]

    def _named(self, seen: Seen, picture: FloatArray, depth: FloatArray) -> list[Detection]:
        """The small things under their names."""
        if not seen.things or not self._labels:
            return []
        numbers = np.array([thing.number for thing in seen.things])
        shown, depths = windows(picture, depth, seen.places, numbers)
        kinds, colours = name(self._network, shown)
        together = kinds[:, :-1, None] * colours[:, None]
        shares = together.reshape(len(numbers), -1) @ self._meant.T
        found = []
        for thing, share, own in zip(seen.things, shares, depths, strict=True):
            best = int(share.argmax())
            mask = _enlarged(seen.places == thing.number, PARTS_STRIDE, depth.shape)
            mask &= np.abs(depth - own) < THING_DEPTH_M
            found.append(Detection(self._labels[best], mask, float(share[best])))
        return found


def _exact_names() -> tuple[str, ...]:
    return tuple(exact_name(kind, colour) for kind in KINDS for colour in THINGS[kind].colours)


def name(network: Network, shown: torch.Tensor) -> tuple[FloatArray, FloatArray]:
    """How likely windows show each kind (last: none) and each colour; rows sum to 1."""
    with torch.inference_mode():
        kinds, colours = network.namer(shown.to(memory_format=torch.channels_last))
        return kinds.softmax(1).numpy(), colours.softmax(1).numpy()


def _enlarged(mask: BoolArray, stride: int, shape: tuple[int, ...]) -> BoolArray:
    """A mask of the output as one of the picture."""
    return mask.repeat(stride, axis=0).repeat(stride, axis=1)[: shape[0], : shape[1]]
