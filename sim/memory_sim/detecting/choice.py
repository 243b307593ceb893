"""Which detector a robot sees with, by its name, and the errors it is told to make."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

from memory_core.errors import InvalidQuery
from memory_sim.worlds.home.detectors import Detector, SegmentationDetector
from memory_sim.worlds.home.scene import owners_in
from memory_sim.worlds.home.world import World

SEGMENTATION, NETWORK = "segmentation", "network"
DETECTORS = (SEGMENTATION, NETWORK)


@dataclass(frozen=True, slots=True)
class Errors:
    """What the segmentation detector gets wrong; the others make errors of their own alone.

    Attributes:
        misses: Share of detections that are left out, 0 to 1.
        confusions: Share of the others that get a similar thing's label, 0 to 1.
        position_noise_m: Spread by which masks lie beside their things, metres.
    """

    misses: float = 0.0
    confusions: float = 0.0
    position_noise_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no share, and no length.

        Raises:
            InvalidQuery: A number is out of its range.
        """
        shares = (self.misses, self.confusions)
        if (
            not all(0 <= share <= 1 for share in shares)
            or not 0 <= self.position_noise_m < math.inf
        ):
            raise InvalidQuery(
                f"misses {self.misses}, confusions {self.confusions}, position noise "
                f"{self.position_noise_m} m; expected shares from 0 to 1, and 0 m or more"
            )


NO_ERRORS = Errors()


def errors_of(options: argparse.Namespace, *, usual: Errors = NO_ERRORS) -> Errors:
    """The errors that a command was told, the usual ones where it was told none.

    Raises:
        InvalidQuery: A number is out of its range, or the detector makes errors of its own.
    """
    told = {
        "misses": options.misses, "confusions": options.confusions,
        "position_noise_m": options.position_noise,
    }  # fmt: skip
    given = {name: value for name, value in told.items() if value is not None}
    if given and options.detector != SEGMENTATION:
        raise InvalidQuery(
            f"detector {options.detector!r} makes errors of its own; --misses, --confusions and "
            "--position-noise are for the segmentation"
        )
    return replace(usual, **given)


def check_detector(name: str) -> None:
    """Refuse a detector that there is not.

    Raises:
        InvalidQuery: It is none of `DETECTORS`, and no folder.
    """
    if name not in DETECTORS and not Path(name).is_dir():
        raise InvalidQuery(
            f"detector {name!r}; expected one of {', '.join(DETECTORS)}, or the folder of an "
            "open-vocabulary checkpoint"
        )


def detector_named(
    name: str, world: World, *, errors: Errors = NO_ERRORS, seed: int = 0
) -> Detector:
    """A detector for a world.

    Args:
        name: One of `DETECTORS`, or the folder of a checkpoint that transformers loads as a
            zero-shot detector (OWLv2, Grounding DINO).
        world: Whose pictures it is shown. The network is told what its household calls things, an
            open-vocabulary detector what it calls everything.
        errors: Of the segmentation detector.
        seed: Of these errors.

    Raises:
        InvalidQuery: There is no such detector.
        EncodingError: The checkpoint cannot be loaded.
        NotInstalled: What it needs is missing.
    """
    check_detector(name)
    if name == NETWORK:
        from memory_sim.detecting.detector import NetworkDetector

        return NetworkDetector(sorted({thing.label for thing in world.plan.things}))
    if name != SEGMENTATION:
        from memory_sim.worlds.home.open_vocabulary import TransformersDetector

        return TransformersDetector(
            name, sorted({owner.label for owner in owners_in(world) if owner and owner.label})
        )
    return SegmentationDetector(
        world, misses=errors.misses, confusions=errors.confusions,
        position_noise_m=errors.position_noise_m, seed=seed,
    )  # fmt: skip
