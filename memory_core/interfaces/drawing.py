"""Drawing maps as SVG: from metres to the page, and words that are safe in it."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b52ab", "#8c6d5a")
"""Colours that people with any colour vision tell apart (after Okabe and Ito 2008)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where points of a map lie on a page; y grows upwards in the map, downwards on the page.

    Attributes:
        left: The map's lowest x, metres.
        top: Its highest y, metres.
        scale: Pixels a metre.
        margin: Pixels around it.
        width: Of the page, pixels.
        height: Of the page, pixels.
    """

    left: float
    top: float
    scale: float
    margin: float
    width: float
    height: float

    @classmethod
    def fit(
        cls, points: Iterable[tuple[float, ...]], *, width: float, height: float, margin: float
    ) -> Plan:
        """The largest plan of some points within a page.

        Args:
            points: x and y first, metres; at least one.
            width: At most so wide, pixels; the plan is as wide.
            height: At most so high, pixels; a flatter map makes a lower page.
            margin: Pixels around it.
        """
        xs, ys = zip(*((point[0], point[1]) for point in points), strict=True)
        across, along = max(xs) - min(xs), max(ys) - min(ys)
        free_x, free_y = width - 2 * margin, height - 2 * margin
        scale = min(free_x / max(across, 1.0), free_y / max(along, 1.0))
        left = (min(xs) + max(xs)) / 2 - free_x / scale / 2
        return cls(left, max(ys), scale, margin, width, along * scale + 2 * margin)

    def x(self, metres: float) -> float:
        """Pixels from the left."""
        return round(self.margin + (metres - self.left) * self.scale, 1)

    def y(self, metres: float) -> float:
        """Pixels from the top."""
        return round(self.margin + (self.top - metres) * self.scale, 1)

    @property
    def bar_m(self) -> float:
        """Length of a scale bar: 1, 2 or 5 times a power of ten, about a sixth of the width."""
        wanted = max(self.width / self.scale / 6, 1e-3)
        power = 10.0 ** math.floor(math.log10(wanted))
        return power * max(step for step in (1, 2, 5) if step * power <= wanted * (1 + 1e-9))

    def scale_bar(self) -> str:
        """A scale bar in the lower left corner."""
        at = self.height - self.margin / 2
        end = self.margin + self.bar_m * self.scale
        return (
            f"<g class='scale'><path d='M{self.margin:.1f} {at - 4:.1f}v4H{end:.1f}v-4'/>"
            f"<text x='{end + 6:.1f}' y='{at + 2:.1f}'>{self.bar_m:g} m</text></g>"
        )


def safe(text: object) -> str:
    """Remembered words as text of a page, never as markup; what XML does not allow is left out."""
    return html.escape("".join(c for c in str(text) if c.isprintable()), quote=True)


def shortened(text: str, length: int) -> str:
    """The beginning of a text, at a word's end where it is cut."""
    words = " ".join(text.split())
    if len(words) <= length:
        return words
    return words[:length].rsplit(" ", 1)[0].rstrip(",;:. ") + " …"
