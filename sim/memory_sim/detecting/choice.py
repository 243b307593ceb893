"""Which detector a robot sees with, by its name."""

from __future__ import annotations

from memory_core.errors import InvalidQuery
from memory_sim.worlds.home.detectors import Detector, SegmentationDetector
from memory_sim.worlds.home.world import World

SEGMENTATION, NETWORK = "segmentation", "network"
DETECTORS = (SEGMENTATION, NETWORK)


def check_detector(name: str) -> None:
    """Refuse a detector that there is not.

    Raises:
        InvalidQuery: There is none of this name.
    """
    if name not in DETECTORS:
        raise InvalidQuery(f"detector {name!r}; expected one of {', '.join(DETECTORS)}")


def detector_named(
    name: str, world: World, *, misses: float = 0.0, confusions: float = 0.0, seed: int = 0
) -> Detector:
    """A detector for a world.

    Args:
        name: One of `DETECTORS`.
        world: Whose pictures it is shown. The network is told what its household calls things.
        misses: See `SegmentationDetector`; the network makes errors of its own alone.
        confusions: Likewise.
        seed: Of these errors.

    Raises:
        InvalidQuery: There is no detector of this name.
        NotInstalled: What it needs is missing.
    """
    check_detector(name)
    if name == NETWORK:
        from memory_sim.detecting.detector import NetworkDetector

        return NetworkDetector(sorted({thing.label for thing in world.plan.things}))
    return SegmentationDetector(world, misses=misses, confusions=confusions, seed=seed)
