"""Curves of learning as a page of SVG: a panel for each network, a line for each level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memory_core.interfaces.drawing import PALETTE, safe

Line = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT = 340.0, 230.0
_LEFT, _TOP, _GAP, _BELOW = 44.0, 30.0, 26.0, 64.0
_STYLE = "text{font:12px system-ui,sans-serif;fill:#444}.axis{stroke:#999;fill:none}.name{font-weight:600}"


def draw_curves(title: str, panels: Mapping[str, Mapping[str, Line]], *, along: str) -> str:
    """Draw shares, 0 to 1, over what was learnt from.

    Args:
        title: What is shown, for those who cannot see it.
        panels: By the name of a network, by the name of a level: (how much was learnt from, share).
        along: What the horizontal axis counts.
    """
    levels = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    last = max(
        (x for lines in panels.values() for line in lines.values() for x, _ in line), default=1.0
    )
    width = _LEFT + len(panels) * (_WIDTH + _GAP)
    height = _TOP + _HEIGHT + _BELOW
    parts = [
        _panel(name, lines, levels, last, _LEFT + number * (_WIDTH + _GAP))
        for number, (name, lines) in enumerate(panels.items())
    ]
    parts += [f"<text x='4' y='{_y(share) + 4:.1f}'>{share:.2f}</text>"
              for share in (0.0, 0.25, 0.5, 0.75, 1.0)]  # fmt: skip
    for number, level in enumerate(levels):
        x, y = _LEFT + number % 3 * 170, _TOP + _HEIGHT + 38 + number // 3 * 17
        parts.append(f"<path d='M{x:.1f} {y - 4:.1f}h22' {_pen(number, len(levels))}/>"
                     f"<text x='{x + 28:.1f}' y='{y:.1f}'>{safe(level)}</text>")  # fmt: skip
    parts.append(f"<text x='{width - _GAP:.1f}' y='{_TOP + _HEIGHT + 16:.1f}' text-anchor='end'>"
                 f"{safe(along)}, up to {last:,.0f}</text>")  # fmt: skip
    ends = "; ".join(
        f"{name}: "
        + ", ".join(f"{level} {line[-1][1]:.2f}" for level, line in lines.items() if line)
        for name, lines in panels.items()
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"role='img' aria-labelledby='title ends'><title id='title'>{safe(title)}</title>"
        f"<desc id='ends'>In the end {safe(ends)}</desc><style>{_STYLE}</style>"
        f"<rect width='100%' height='100%' fill='#fff'/>{''.join(parts)}</svg>\n"
    )


def _panel(
    name: str, lines: Mapping[str, Line], levels: Sequence[str], last: float, left: float
) -> str:
    drawn = [
        f"<text class='name' x='{left:.1f}' y='{_TOP - 12:.1f}'>{safe(name)}</text>",
        f"<path class='axis' d='M{left:.1f} {_TOP}v{_HEIGHT}h{_WIDTH}'/>",
    ]
    for level, line in lines.items():
        points = " ".join(f"{left + x / last * _WIDTH:.1f},{_y(share):.1f}" for x, share in line)
        pen = _pen(levels.index(level), len(levels))
        drawn.append(f"<polyline points='{points}' {pen}><title>{safe(level)}</title></polyline>")
    return "".join(drawn)


def _y(share: float) -> float:
    return _TOP + (1 - share) * _HEIGHT


def _pen(number: int, count: int) -> str:
    """The second half of the lines takes the colours of the first, dashed."""
    half = (count + 1) // 2
    dashes = "stroke-dasharray='5 3' " if number >= half else ""
    return f"fill='none' stroke='{PALETTE[number % half]}' stroke-width='2' {dashes}"
