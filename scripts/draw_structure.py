"""Draw the structure of a memory, from a simulated house that is toured on two days.

Writes events.svg, map.svg, forest.svg and attention.svg, as `docs/structure.md` shows them.

python scripts/draw_structure.py --out docs/images
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from memory_core import Entity, Event, Evidence, Place, RobotMemory, Stay
from memory_core.episodic.summary import trajectory
from memory_core.interfaces.drawing import PALETTE, Plan, safe, shortened
from memory_core.interfaces.forest_view import Forest, standing
from memory_core.interfaces.structure import times_moved
from memory_sim.evaluation import remember
from memory_sim.questions.household import household, stream

WIDTH = 960.0
ROW = 40.0
QUESTION = "a candle"
STYLE = """
svg { font: 13px system-ui, sans-serif; fill: #1c2430; color: #1c2430; background: #fff; }
text { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.soft { fill: #566074; font-size: 11px; } .line { fill: none; stroke: #98a2b3; }
.head { font-size: 15px; font-weight: 600; } .inside { fill: #fff; stroke: none; font-size: 11px; }
.scale path { fill: none; stroke: #566074; } .page { fill: #fff; }
@media (prefers-color-scheme: dark) { svg { fill: #e6e9ef; color: #e6e9ef; background: #1b2230; }
  text { stroke: #1b2230; } .page { fill: #1b2230; } .soft { fill: #a3adbd; } .line { stroke: #667085; }
  .scale path { stroke: #a3adbd; } }
"""


def write(path: Path, title: str, about: str, height: float, parts: Sequence[str]) -> None:
    """One SVG file, with its title and description for those who do not see it."""
    path.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH:.0f} {height:.0f}' role='img' "
        f"aria-labelledby='title about'><title id='title'>{safe(title)}</title>"
        f"<desc id='about'>{safe(about)}</desc><style>{STYLE}</style>"
        f"<rect class='page' width='100%' height='100%'/>\n" + "\n".join(parts) + "\n</svg>\n",
        encoding="utf-8",
    )


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start") -> str:
    """A line of text."""
    named = f" class='{kind}'" if kind else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'{named}>{safe(words)}</text>"


def colours(places: Sequence[Place]) -> dict[str, str]:
    """A colour for each kind of place; "" where the kind is not known."""
    kinds = sorted({place.kind for place in places if place.kind})
    shades = {kind: PALETTE[number % len(PALETTE)] for number, kind in enumerate(kinds)}
    return shades | {"": "#98a2b3"}


# -- events -------------------------------------------------------------------------------------


def draw_events(path: Path, events: Sequence[Event], places: Sequence[Place]) -> None:
    """A lane for each visit, an event a bar in the colour of the place it happened in."""
    kind_of = {place.id: place.kind for place in places}
    colour = colours(places)
    sessions = list(dict.fromkeys(event.session for event in events))
    longest = max(_seconds(events, session) for session in sessions)
    left, scale = 20.0, (WIDTH - 40.0) / longest
    parts, y = [], 30.0
    for session in sessions:
        mine = [event for event in events if event.session == session]
        begun = mine[0].start_ns
        parts.append(text(left, y, f"{session}, {_day(begun)}: {len(mine)} events", kind="head"))
        for event in mine:
            x = left + (event.start_ns - begun) / 1e9 * scale
            wide = max(2.0, (event.end_ns - event.start_ns) / 1e9 * scale - 1.5)
            kind = kind_of.get(event.place or "", "")
            hint = f"{kind}, {event.observations} observations; {event.summary}"
            parts.append(
                f"<rect x='{x:.1f}' y='{y + 12:.1f}' width='{wide:.1f}' height='34' rx='3' "
                f"fill='{colour[kind]}'><title>{safe(shortened(hint, 160))}</title></rect>"
            )
            if wide > 8 + 6.2 * len(kind):
                parts.append(text(x + 4, y + 33, kind, kind="inside"))
        for second in range(0, int(longest) + 1, 30):
            at = left + second * scale
            parts.append(text(at, y + 62, f"{second} s", kind="soft"))
        y += 100.0
    parts += legend(colour, y)
    write(path, "Events of two visits", "Each bar is an event; its colour is the kind of place.",
          y + 30, parts)  # fmt: skip


def _seconds(events: Sequence[Event], session: str) -> float:
    mine = [event for event in events if event.session == session]
    return (max(e.end_ns for e in mine) - min(e.start_ns for e in mine)) / 1e9


def _day(stamp_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(stamp_ns / 1e9, tz=dt.timezone.utc):%-d %B %Y}"


def legend(colour: Mapping[str, str], y: float) -> list[str]:
    """What the colours mean, in one line."""
    parts, x = [], 20.0
    for kind, shade in colour.items():
        name = kind or "kind not known"
        parts += [f"<circle cx='{x + 5:.1f}' cy='{y - 4:.1f}' r='5' fill='{shade}'/>",
                  text(x + 15, y, name, kind="soft")]  # fmt: skip
        x += 34.0 + 6.4 * len(name)
    return parts


# -- map ----------------------------------------------------------------------------------------


def draw_map(path: Path, memory: RobotMemory, places: Sequence[Place]) -> None:
    """Places, the way driven, things where they are, and the trails of those that were moved."""
    entities = memory.entities()
    way = [step.pose.position for step in trajectory(memory)]
    points = [*way, *(stay.position for entity in entities for stay in entity.history)]
    plan = Plan.fit(points, width=WIDTH, height=1000.0, margin=60.0)
    colour = colours(places)
    track = " ".join(f"{plan.x(x)},{plan.y(y)}" for x, y, _ in way[::2])
    parts = [
        "<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        "markerHeight='7' orient='auto'><path d='M0 0L8 4L0 8z' fill='#d55e00'/></marker></defs>",
        f"<polyline class='line' points='{track}' stroke-dasharray='2 4'/>",
    ]
    for place in places:
        x, y, _ = place.centre
        parts.append(
            f"<circle cx='{plan.x(x)}' cy='{plan.y(y)}' r='{14 + 2 * math.sqrt(place.observations):.0f}' "
            f"fill='{colour[place.kind]}' fill-opacity='.22'><title>{safe(place.text)}</title></circle>"
        )
    parts += _things(plan, entities)
    parts += [_trail(plan, entity) for entity in entities if times_moved(entity)]
    parts.append(plan.scale_bar())
    parts += legend(colour, plan.height + 10)
    write(path, "Places and things of a house", "Discs are places, dots are things, hollow dots are "
          "things that are gone, arrows lead from where a moved thing was to where it is.",
          plan.height + 30, parts)  # fmt: skip


def _things(plan: Plan, entities: Sequence[Entity]) -> list[str]:
    """A dot and a name for each thing; names keep clear of each other where they can."""
    parts, taken = [], []
    for entity in sorted(entities, key=lambda entity: -entity.position[1]):
        x, y = plan.x(entity.position[0]), plan.y(entity.position[1])
        style = "fill='none' stroke='currentColor'" if entity.gone else "fill='currentColor'"
        parts.append(f"<circle cx='{x}' cy='{y}' r='3.5' {style}/>")
        words = f"{entity.label} (gone)" if entity.gone else entity.label
        wide = 6.2 * len(words)
        spots = [(x + 7, y + 4), (x - 7 - wide, y + 4), (x + 7, y + 17), (x - 7 - wide, y + 17),
                 (x + 7, y - 9), (x - 7 - wide, y - 9), (x + 7, y + 30)]  # fmt: skip
        free = [
            (at, line)
            for at, line in spots
            if 0 <= at <= plan.width - wide
            and not any(abs(line - b) < 12 and at < a + w and a < at + wide for a, b, w in taken)
        ]
        at, line = (free or spots)[0]
        taken.append((at, line, wide))
        parts.append(text(at, line, words, kind="soft"))
    return parts


def _trail(plan: Plan, entity: Entity) -> str:
    """An arrow through the places a thing was at."""
    stops = " ".join(f"{plan.x(s.position[0])},{plan.y(s.position[1])}" for s in entity.history)
    told = "; ".join(f"{_day(s.start_ns)}: {_at(s)}" for s in entity.history)
    return (
        f"<polyline points='{stops}' fill='none' stroke='#d55e00' stroke-width='2' "
        f"marker-end='url(#tip)'><title>{safe(entity.label)}, {safe(told)}</title></polyline>"
    )


def _at(stay: Stay) -> str:
    return "({:.1f}, {:.1f}) m".format(*stay.position[:2])


# -- forest -------------------------------------------------------------------------------------


def draw_forest(path: Path, forest: Forest) -> None:
    """The tree from left to right: areas, then places."""
    height, spots = _layout(forest)
    parts = list(_links(forest, spots, {}))
    for node in forest.shown():
        x, y = spots[node.id]
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='{PALETTE[node.level]}'/>")
        if node.children:
            area, _, things = node.text.partition(": ")
            parts.append(text(x, y - 27, standing(node), kind="soft"))
            parts.append(text(x, y - 12, area))
            parts.append(text(x, y + 20, shortened(things, 40), kind="soft"))
        else:
            parts.append(text(x + 12, y - 2, node.kind or node.id))
            parts.append(text(x + 12, y + 13, shortened(node.text, 56), kind="soft"))
    write(path, "The semantic forest of a house", "From the root at the left, which tells of the "
          "whole floor, over areas to places at the right.", height, parts)  # fmt: skip


def draw_attention(path: Path, forest: Forest, evidence: Sequence[Evidence]) -> None:
    """The same tree; a line is as wide as the attention that went along it."""
    mass: dict[str, float] = {}
    for item in evidence:
        mass |= dict(zip(item.path, item.path_weights, strict=True))
    height, spots = _layout(forest)
    parts = [text(20, 24, f"“{QUESTION}”", kind="head"), *_links(forest, spots, mass)]
    for node in forest.shown():
        x, y = spots[node.id]
        share = mass.get(node.id, 0.0)
        radius = 3 + 9 * math.sqrt(share)
        shade = "#0072b2" if share else "#98a2b3"
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:.1f}' fill='{shade}'/>")
        if node.children:
            parts.append(text(x, y - 18, f"{share:.2f}"))
        else:
            parts.append(text(x + 16, y - 2, f"{share:.2f}  {node.kind or node.id}"))
            parts.append(text(x + 16, y + 13, _seen(evidence, node.id), kind="soft"))
    write(path, "Where attention went", f"For the request {QUESTION!r}: the wider a line, the more "
          "attention went along it.", height, parts)  # fmt: skip


def _seen(evidence: Sequence[Evidence], place: str) -> str:
    """What the evidence made in a place shows, the weightiest first."""
    there = sorted((e for e in evidence if place in e.path), key=lambda e: -e.attention)
    labels = [item.sighting.label for item in there if item.sighting is not None]
    return shortened(", ".join(dict.fromkeys(labels)), 56)


def _layout(forest: Forest) -> tuple[float, dict[str, tuple[float, float]]]:
    """Height of the page, and where each node lies: levels across, leaves down."""
    leaves = [node for node in forest.shown() if not node.children]
    rows = {node.id: 70.0 + ROW * number for number, node in enumerate(leaves)}
    deepest = max(node.level for node in forest.roots)
    across = (WIDTH - 420.0) / max(1, deepest)
    spots: dict[str, tuple[float, float]] = {}
    for node in reversed(list(forest.shown())):
        y = rows[node.id] if not node.children else sum(
            spots[child][1] for child in node.children) / len(node.children)  # fmt: skip
        spots[node.id] = (30.0 + across * (deepest - node.level), y)
    return 70.0 + ROW * len(leaves), spots


def _links(
    forest: Forest, spots: Mapping[str, tuple[float, float]], mass: Mapping[str, float]
) -> Iterator[str]:
    for node in forest.shown():
        for child in node.children:
            (x1, y1), (x2, y2) = spots[node.id], spots[child]
            share = mass.get(child, 0.0)
            style = f" style='stroke: #56b4e9; stroke-width: {1 + 15 * share:.1f}'" if share else ""
            bend = (x1 + x2) / 2
            yield (
                f"<path class='line' d='M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} "
                f"{x2:.1f} {y2:.1f}'{style}/>"
            )


def main() -> int:
    """Tour, remember, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the house (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="where they go")
    parser.add_argument("--cache", type=Path, help="keep the recorded tours there")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    observations = stream(household(options.seed), cache=options.cache)
    with tempfile.TemporaryDirectory() as folder, RobotMemory.open(folder) as memory:
        remember(memory, observations)
        memory.organise()
        places, forest = memory.places(), Forest.of(memory.forest())
        draw_events(options.out / "events.svg", memory.events(), places)
        draw_map(options.out / "map.svg", memory, places)
        draw_forest(options.out / "forest.svg", forest)
        draw_attention(
            options.out / "attention.svg", forest, memory.recall(QUESTION, k=20).evidence
        )
    sys.stdout.write(f"drawn from {len(observations)} observations into {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
