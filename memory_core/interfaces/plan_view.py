"""A plan drawn on the map: where the robot is, what it knows, where it would go, and why there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memory_core.interfaces.drawing import PALETTE, Plan, safe, shortened
from memory_core.planning import plans
from memory_core.types import Entity, Vector3

WIDTH, HEIGHT, MARGIN = 900.0, 640.0, 28.0
LABELLED = 40
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.known{fill:#bbb}.region{fill:none;stroke:#8c6d5a;"
    "stroke-dasharray:4 3}.way{fill:none;stroke:#0072b2;stroke-width:3;stroke-linejoin:round}"
    ".first{fill:#d55e00;font-weight:600}.scale path{fill:none;stroke:#888}"
)


def draw_plan(plan: plans.Plan, entities: Sequence[Entity], *, robot: Vector3 | None = None) -> str:
    """A plan as a page of SVG.

    Args:
        plan: The plan.
        entities: What is known, for orientation.
        robot: Where the robot is, `map`; None where nobody knows.
    """
    floor = _height(plan, robot)
    known = [e for e in entities if abs(e.position[2] - floor) < 2.5 and not e.gone]
    points = [e.position for e in known] + [c.position for c in plan.candidates] + list(plan.way)
    points += [robot] if robot is not None else []
    if not points:
        points = [(0.0, 0.0, 0.0)]
    page = Plan.fit(points, width=WIDTH, height=HEIGHT, margin=MARGIN)
    parts = [
        f"<circle class='known' cx='{page.x(e.position[0])}' cy='{page.y(e.position[1])}' r='3'>"
        f"<title>{safe(e.label)}</title></circle>"
        for e in known
    ]
    parts += [
        f"<text x='{page.x(e.position[0]) + 5}' y='{page.y(e.position[1]) + 4}'>"
        f"{safe(shortened(e.label, 18))}</text>"
        for e in sorted(known, key=lambda e: -max(e.size))[:LABELLED]
    ]
    parts += [_region(page, region.centre, region.told) for region in plan.regions]
    if plan.way:
        corners = " ".join(f"{page.x(x)},{page.y(y)}" for x, y, _ in plan.way)
        parts.append(f"<polyline class='way' points='{corners}'/>")
    for rank, candidate in enumerate(plan.candidates):
        parts.append(_candidate(page, candidate.position, candidate.probability, rank))
    if robot is not None:
        x, y = page.x(robot[0]), page.y(robot[1])
        parts.append(
            f"<circle cx='{x}' cy='{y}' r='8' fill='{PALETTE[0]}'><title>robot</title></circle>"
        )
    parts.append(page.scale_bar())
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {page.width:.0f} {page.height:.0f}' "
        f"role='img'><title>{safe(plan.goal.words)}</title><desc>{safe(plan.told)}</desc>"
        f"<style>{_STYLE}</style><rect width='100%' height='100%' fill='#fff'/>{''.join(parts)}</svg>"
    )


def write_plan(
    path: Path, plan: plans.Plan, entities: Sequence[Entity], *, robot: Vector3 | None = None
) -> Path:
    """Draw a plan into a file; see `draw_plan`."""
    path.write_text(draw_plan(plan, entities, robot=robot), encoding="utf-8")
    return path


def _height(plan: plans.Plan, robot: Vector3 | None) -> float:
    """About how high the floor of interest is: of the best candidate, or of the robot."""
    if plan.candidates:
        return plan.candidates[0].position[2]
    return robot[2] if robot is not None else 0.0


def _region(page: Plan, at: Vector3, name: str) -> str:
    x, y = page.x(at[0]), page.y(at[1])
    return (
        f"<rect class='region' x='{x - 9}' y='{y - 9}' width='18' height='18'>"
        f"<title>search: {safe(name)}</title></rect>"
    )


def _candidate(page: Plan, at: Vector3, probability: float, rank: int) -> str:
    x, y, radius = page.x(at[0]), page.y(at[1]), 5 + 9 * probability
    colour = PALETTE[1] if rank == 0 else PALETTE[4]
    return (
        f"<circle cx='{x}' cy='{y}' r='{radius:.1f}' fill='{colour}' fill-opacity='0.55'/>"
        f"<text class='{'first' if rank == 0 else ''}' x='{x + radius + 3}' y='{y - 3}'>"
        f"{probability:.0%}</text>"
    )
