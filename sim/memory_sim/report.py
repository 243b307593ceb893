"""The demonstration's report: one HTML file with maps, pictures, questions, answers and an errand.

Maps are drawn from the memory: path, things, evidence, plan. The home's walls are drawn faintly
beneath the first, as a help to the eye.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memory_core.episodic.summary import trajectory
from memory_core.interfaces.drawing import PALETTE, Plan, safe, shortened
from memory_core.memory import RobotMemory
from memory_core.planning import plans
from memory_core.planning.outcomes import Outcome
from memory_core.planning.regions import openable
from memory_core.types import Answer, Json
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.scene import HANDLE

_WIDTH, _HEIGHT, _MARGIN = 1_000.0, 760.0, 24.0
_NODE = 110

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #d8dde6; --card: #fff;
  --page: #f5f6f8; --good: #1d7a4f; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #344054;
  --card: #1d2433; --page: #121826; --good: #4ad295; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .2rem; font-size: 1.6rem; } h2 { margin: 2rem 0 .6rem; font-size: 1.15rem; }
p.lead { margin: 0 0 1rem; color: var(--soft); max-width: 60rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; }
.map { overflow-x: auto; } .map svg { width: 100%; min-width: 640px; height: auto; }
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: 1rem; }
.question { display: flex; gap: .6rem; font-weight: 600; }
.dot { flex: none; width: 1.5rem; height: 1.5rem; border-radius: 50%; color: #fff; font-size: .85rem;
  display: grid; place-items: center; }
.verdict { font-size: .85rem; } .good { color: var(--good); } .bad { color: var(--bad); }
.evidence { display: flex; gap: .5rem; margin-top: .6rem; }
.evidence figure { margin: 0; flex: 1 1 0; min-width: 0; } .evidence img, .strip img { width: 100%;
  border-radius: 6px; display: block; } figcaption { font-size: .75rem; color: var(--soft); }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .5rem; }
.errand { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
.errand img { width: 100%; border-radius: 6px; } .errand ol { margin: 0; padding-left: 1.4rem; }
.errand { margin-top: 1rem; } pre { white-space: pre-wrap; font: inherit; margin: 0 0 .8rem; }
.film img { width: 100%; max-width: 45rem; border-radius: 6px; margin-top: .8rem; }
.said { font-size: 1.15rem; } .way { list-style: none; margin: 0; padding: 0; }
.way b { font-variant-numeric: tabular-nums; } .soft { color: var(--soft); font-size: .9rem; }
table { border-collapse: collapse; font-size: .9rem; } td { padding: .15rem 1rem .15rem 0; }
td:first-child { color: var(--soft); }
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer, what was expected, whether it is right, and how long it took."""

    question: str
    answer: Answer
    expected: str
    right: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Node:
    """A node on the way from the root of the forest to a piece of evidence.

    Attributes:
        weight: Its share of the attention.
        name: Its id.
        text: What is below it, in words.
    """

    weight: float
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """An errand about something that was moved.

    Attributes:
        outcome: How it went.
        planned: The plan as text.
        drawing: The plan on the map, a page of SVG.
        why: The way of attention to the first candidate.
        film: Of it, a .gif file.
        moved: From where to where people had moved the thing, in words.
        brought: Whether the right thing was brought, by ground truth.
        said: Whether the robot said where it had been, by ground truth.
    """

    outcome: Outcome
    planned: str
    drawing: str
    why: tuple[Node, ...]
    film: Path
    moved: str
    brought: bool
    said: bool


def way_of_attention(memory: RobotMemory, plan: plans.Plan) -> tuple[Node, ...]:
    """The way from the root of the forest to what a plan rests on; empty where it rests on nothing.

    Args:
        memory: Whose forest it is.
        plan: The plan.
    """
    if not plan.candidates:
        return ()
    evidence = plan.candidates[0].evidence
    texts = {node.id: f"{node.kind} {node.text}".strip() for node in memory.forest()}
    texts[evidence.observation.id] = str(evidence.to_json()["text"] or "")
    weights = evidence.path_weights or (0.0,) * len(evidence.path)
    return tuple(
        Node(weight, name, texts.get(name, ""))
        for weight, name in zip(weights, evidence.path, strict=True)
    )


def evening(memory: RobotMemory, home: HomePlan, asked: Sequence[Asked]) -> str:
    """What is remembered after the first day, as a part of the report.

    Args:
        memory: The memory.
        home: For its walls.
        asked: Questions and answers.
    """
    return (
        "<h2>Day one: it looks about</h2><p class='lead'>Nobody told it what there is. It drives "
        "to where its map ends until it ends nowhere, and looks at every surface. The map shows "
        "what it remembers; numbers are where its answers point.</p>"
        f"<div class='card map'>{_map(memory, home, asked)}</div>"
        f"<h2>Asked in the evening</h2>{_cards(memory, asked)}"
        f"<h2>What it saw</h2><div class='card strip'>{_strip(memory)}</div>"
    )


def second_day(
    memory: RobotMemory, fetched: Fetched, asked: Sequence[Asked], *, before: int
) -> str:
    """How the errand went, as a part of the report.

    Args:
        memory: The memory.
        fetched: The errand.
        asked: Questions and answers after it.
        before: How many were asked on the first day; these are numbered on from there.
    """
    outcome = fetched.outcome
    verdicts = (
        _verdict(fetched.brought, "brought", "not brought"),
        _verdict(fetched.said, "it says rightly where it had been", "where it had been is wrong"),
    )
    steps = "".join(
        f"<li>{safe(step.told)}{'' if step.done else f' <span class=soft>{safe(step.reason)}</span>'}"
        "</li>"
        for step in outcome.steps
    )
    way = "".join(
        f"<li style='padding-left:{depth * 0.9:.1f}rem'><b>{node.weight:.2f}</b> {safe(node.name)} "
        f"<span class='soft'>{safe(shortened(node.text, _NODE))}</span></li>"
        for depth, node in enumerate(fetched.why)
    )
    return (
        "<h2>Day two: something was moved</h2><p class='lead'>The memory was closed and opened "
        f"again. Overnight people moved things; one went {safe(fetched.moved)}.</p>"
        f"<div class='card'><p class='question'>“{safe(outcome.words)}”</p>"
        f"<p class='said'>“{safe(outcome.said)}”</p><div class='verdict'>{' · '.join(verdicts)} · "
        f"{outcome.travelled_m:.1f} m driven in {(outcome.end_ns - outcome.start_ns) * 1e-9:.0f} s"
        f"</div><div class='film'>{_image('image/gif', fetched.film.read_bytes(), 'a film of the errand')}"
        "<p class='soft'>From outside, through its eyes, and on the plan: where it drove (grey), the "
        "way it planned (blue), where it expected the thing (orange).</p></div></div>"
        "<div class='errand'>"
        f"<div class='card'><h3>The plan</h3><pre>{_safe_lines(fetched.planned)}</pre>"
        f"{_image('image/svg+xml', fetched.drawing.encode(), 'the plan on the map')}</div>"
        f"<div class='card'><h3>Why there first</h3><p class='soft'>From the whole home down to the "
        f"picture that the plan rests on, with the share of the attention.</p><ul class='way'>{way}"
        f"</ul><h3>What it did</h3><ol>{steps}</ol></div></div>"
        f"<h2>Asked after the errand</h2>{_cards(memory, asked, start=before + 1)}"
    )


def write_report(path: Path, sections: Sequence[str], info: Json, figures: Json) -> Path:
    """Write the report.

    Args:
        path: The HTML file.
        sections: What happened, from `evening` and `second_day`.
        info: Of the memory, see `RobotMemory.info`.
        figures: Numbers to show.

    Returns:
        `path`.
    """
    first, second = figures["day_one"], figures["day_two"]
    rows = [
        ("home", f"seed {figures['seed']}, {figures['rooms']} rooms and a hallway"),
        ("remembered", f"{info['observations']:,} observations, {info['sightings']:,} sightings of "
                       f"{info['labels']} kinds, {info['keyframes']['count']} pictures"),
        ("path", f"{info['path_m']:.1f} m"),
        ("on disk", f"{info['bytes']['database'] / 1e6:.1f} MB"),
        ("day one", f"{first['simulated_s']} simulated s in {first['seconds']} s; a frame: render "
                    f"{first['render_ms']} ms, perceive {first['perceive_ms']} ms, hand over "
                    f"{first['remember_ms']} ms (medians); questions {first['questions_s']} s"),
        ("day two", f"{second['simulated_s']} simulated s in {second['seconds']} s, filming included"),
        ("verified", "stored + removed = acknowledged, before and after the restart"
                     if figures["verified"] else "NOT CLEAN"),
        ("all of it", f"{figures['seconds']} s"),
        ("machine", figures["machine"]),
    ]  # fmt: skip
    table = "".join(f"<tr><td>{safe(k)}</td><td>{safe(v)}</td></tr>" for k, v in rows)
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>A robot remembers a home</title><style>{_STYLE}</style></head><body>"
        "<h1>A robot remembers a home</h1>"
        "<p class='lead'>Two days with a camera that sees colour and noisy depth, wheels that drift, "
        f"and an arm. It was asked {figures['asked']} questions; {figures['right']} answers are right "
        "by ground truth, which neither memory nor planner ever saw.</p>"
        f"{''.join(sections)}<h2>Figures</h2><div class='card'><table>{table}</table></div>"
        "</body></html>"
    )
    path.write_text(page, encoding="utf-8")
    return path


def _safe_lines(text: str) -> str:
    return "\n".join(safe(line) for line in text.splitlines())


def _map(memory: RobotMemory, home: HomePlan, asked: Sequence[Asked]) -> str:
    corners = [corner for room in home.rooms for corner in (room.low, room.high)]
    page = Plan.fit(corners, width=_WIDTH, height=_HEIGHT, margin=_MARGIN)
    parts = [
        f"<svg viewBox='0 0 {page.width:.0f} {page.height:.0f}' role='img' "
        "aria-label='Map of the home with path, things and answers' font-family='system-ui'>"
    ]
    for wall in home.walls:
        (cx, cy, _), (w, d, _) = wall.centre, wall.size
        parts.append(
            f"<rect x='{page.x(cx - w / 2)}' y='{page.y(cy + d / 2)}' width='{w * page.scale:.1f}' "
            f"height='{d * page.scale:.1f}' fill='#98a2b3' opacity='.55'/>"
        )
    path = " ".join(f"{page.x(step.pose.x)},{page.y(step.pose.y)}" for step in trajectory(memory))
    parts.append(
        f"<polyline points='{path}' fill='none' stroke='#2a7de1' stroke-width='2' opacity='.5'/>"
    )
    for entity in memory.entities():
        if entity.label != HANDLE and not openable(entity.label):
            x, y = page.x(entity.position[0]), page.y(entity.position[1])
            parts.append(
                f"<circle cx='{x}' cy='{y}' r='4' fill='#667085'/><text x='{x + 6}' y='{y + 4}' "
                f"font-size='11' fill='currentColor'>{safe(entity.label)}</text>"
            )
    for number, item in enumerate(asked, start=1):
        parts.append(_pointer(page, number, item))
    return "".join((*parts, "</svg>"))


def _pointer(page: Plan, number: int, item: Asked) -> str:
    """From where the best evidence was seen, and where the answer points."""
    colour, drawn = _colour(number), ""
    evidence = next(iter(item.answer.evidence), None)
    if evidence is not None and evidence.position is not None and evidence.standpoint is not None:
        stood = evidence.standpoint
        drawn = (
            f"<line x1='{page.x(stood[0])}' y1='{page.y(stood[1])}' x2='{page.x(evidence.position[0])}' "
            f"y2='{page.y(evidence.position[1])}' stroke='{colour}' stroke-dasharray='4 4'/>"
        )
    if item.answer.position is not None:
        x, y = page.x(item.answer.position[0]), page.y(item.answer.position[1])
        drawn += (
            f"<circle cx='{x}' cy='{y}' r='11' fill='{colour}'/><text x='{x}' y='{y + 4}' "
            f"font-size='12' fill='#fff' text-anchor='middle'>{number}</text>"
        )
    return drawn


def _colour(number: int) -> str:
    return PALETTE[(number - 1) % len(PALETTE)]


def _verdict(good: bool, right: str, wrong: str) -> str:
    return f"<span class='good'>✓ {right}</span>" if good else f"<span class='bad'>✗ {wrong}</span>"


def _cards(memory: RobotMemory, asked: Sequence[Asked], *, start: int = 1) -> str:
    cards = "".join(_card(memory, number, item) for number, item in enumerate(asked, start))
    return f"<div class='answers'>{cards}</div>"


def _card(memory: RobotMemory, number: int, item: Asked) -> str:
    verdict = _verdict(item.right, "right by ground truth", f"expected: {safe(item.expected)}")
    pictures: list[str] = []
    for evidence in item.answer.evidence:
        picture = _picture(memory, evidence.observation.id)
        if picture and len(pictures) < 2:
            what = evidence.sighting.label if evidence.sighting else evidence.observation.source
            pictures.append(
                f"<figure>{picture}<figcaption>{safe(what)}, weight {evidence.weight:.2f}"
                "</figcaption></figure>"
            )
    return (
        f"<div class='card'><div class='question'><span class='dot' style='background:{_colour(number)}'>"
        f"{number}</span><span>{safe(item.question)}</span></div>"
        f"<p>{safe(item.answer.answer)}</p><div class='verdict'>{verdict} · "
        f"{safe(item.answer.kind)} · {item.seconds * 1e3:.0f} ms</div>"
        f"<div class='evidence'>{''.join(pictures)}</div></div>"
    )


def _picture(memory: RobotMemory, observation_id: str) -> str:
    frame = memory.keyframe(observation_id)
    return "" if frame is None else _image("image/jpeg", frame.jpeg, "what the camera saw")


def _image(kind: str, data: bytes, what: str) -> str:
    text = base64.b64encode(data).decode("ascii")
    return f"<img alt='{what}' src='data:{kind};base64,{text}'>"


def _strip(memory: RobotMemory, limit: int = 18) -> str:
    with memory.store.reading() as db:
        ids = [
            row[0]
            for row in db.execute(
                "SELECT o.id FROM observations o JOIN keyframes k ON k.observation = o.rowid "
                "ORDER BY o.rowid"
            )
        ]
    step = max(1, len(ids) // limit)
    return "".join(_picture(memory, name) for name in ids[::step][:limit])
