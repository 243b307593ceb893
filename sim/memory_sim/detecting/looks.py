"""What the namer learns from: what a segmenter takes for small things, and what that truly is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.types import FloatArray, IntArray
from memory_sim.detecting.classes import KINDS
from memory_sim.detecting.detector import segment
from memory_sim.detecting.network import Namer, Network, Segmenter
from memory_sim.detecting.pictures import channels, windows
from memory_sim.detecting.targets import varied
from memory_sim.detecting.views import Views

ALIKE, STRANGE = 0.5, 0.2
"""Areas that overlap a thing by more than the first share of their union show it; those that
overlap none by more than the second show none; what is between teaches nothing."""
TRUE_FOR_EACH = 3
"""So many pictures to one that the segmenter looks at; in the others the true areas are named."""
FEWEST_CELLS = 5
"""Things smaller than this at half size are not learned from."""
NO_COLOUR = -1


@dataclass(frozen=True, slots=True)
class Looks:
    """Windows to name.

    Attributes:
        windows: As `pictures.windows` makes them, shape (m, 5, pixels, pixels), float16.
        names: Kind and colour of each, shape (m, 2); the kind after the last and `NO_COLOUR` for
            what is no thing.
    """

    windows: FloatArray
    names: IntArray

    def save(self, path: Path) -> None:
        """Write them to a file, whole or not at all."""
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, windows=self.windows, names=self.names)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Looks:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(kept["windows"], kept["names"])


def looks_of(
    segmenter: Segmenter,
    views: Views,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Looks:
    """Let a segmenter find things in pictures that show some; what it misses is added.

    Args:
        segmenter: That has learned.
        views: The pictures.
        seed: Of how they are varied.
        progress: Told pictures done and pictures in all.

    Raises:
        InvalidQuery: No picture shows a thing.
    """
    network = Network(segmenter, Namer())
    shown, names = [], []
    showing = np.unique(views.things[:, 0])
    for done, number in enumerate(showing.tolist(), start=1):
        random = np.random.default_rng([seed, 3, number])
        image, depth = varied(views.images[number], views.depths_m[number], random)
        picture = channels(image, depth, float(views.tilts_rad[number]))
        found = np.zeros(views.pieces[number, ::2, ::2].shape, np.int64)
        if done % TRUE_FOR_EACH == 0:
            seen = segment(network, picture)
            taken = [thing.number for thing in seen.things]
            found = np.where(np.isin(seen.places, taken), seen.places, 0)
        mine = views.things[views.things[:, 0] == number]
        area, rows = _told(found, views.pieces[number, ::2, ::2], mine)
        if rows:
            numbers = np.array([row[0] for row in rows])
            shown.append(windows(picture, depth, area, numbers)[0].numpy().astype(np.float16))
            names += [row[1:] for row in rows]
        if progress is not None:
            progress(done, len(showing))
    if not names:
        raise InvalidQuery("no picture shows a thing; render more homes, or more pictures of each")
    return Looks(np.concatenate(shown), np.array(names, np.int64))


def _told(
    found: IntArray, pieces: IntArray, things: IntArray
) -> tuple[IntArray, list[tuple[int, int, int]]]:
    """Areas with what they show: number, kind and colour.

    Args:
        found: What the segmenter takes for things, by number, at half size.
        pieces: What truly hangs together, by number, at half size.
        things: Which of `pieces` are things: rows of (picture, piece, kind, colour).
    """
    area, rows = found.copy(), []
    numbers = [int(n) for n in np.unique(found) if n]
    overlaps = np.zeros((len(numbers), len(things)))
    for i, number in enumerate(numbers):
        mask = found == number
        for j, piece in enumerate(things[:, 1]):
            truth = pieces == piece
            overlaps[i, j] = np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
    for i, number in enumerate(numbers):
        best = int(overlaps[i].argmax()) if len(things) else 0
        most = overlaps[i, best] if len(things) else 0.0
        if most >= ALIKE:
            rows.append((number, int(things[best, 2]), int(things[best, 3])))
        elif most <= STRANGE and np.count_nonzero(found == number) >= FEWEST_CELLS:
            rows.append((number, len(KINDS), NO_COLOUR))
    for j, (_, piece, kind, colour) in enumerate(things.tolist()):
        truth = pieces == piece
        if overlaps[:, j].max(initial=0) < ALIKE and np.count_nonzero(truth) >= FEWEST_CELLS:
            fresh = max([0, *numbers, *(row[0] for row in rows)]) + 1
            area[truth] = fresh
            rows.append((fresh, kind, colour))
    kept = set(np.unique(area).tolist())
    return area, [row for row in rows if row[0] in kept]
