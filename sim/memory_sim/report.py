"""The demonstration's report: one HTML file with a map, pictures, questions and answers.

The map is drawn from the memory: path, things, evidence. The plan's walls are drawn faintly
beneath it, as a help to the eye.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memory_core.episodic.summary import trajectory
from memory_core.memory import RobotMemory
from memory_core.types import Answer, Json
from memory_sim.worlds.plan import HousePlan

_SCALE = 62.0
_MARGIN = 0.6
_COLOURS = ("#d43d51", "#2a7de1", "#1d9a6c", "#b25fd0", "#e08a1e", "#00838f", "#7a5c2e", "#667085")

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


def write_report(
    path: Path, memory: RobotMemory, plan: HousePlan, asked: Sequence[Asked], figures: Json
) -> Path:
    """Write the report.

    Args:
        path: The HTML file.
        memory: What was remembered.
        plan: The house, for its walls.
        asked: Questions and answers.
        figures: Numbers to show.

    Returns:
        `path`.
    """
    info = memory.info()
    rows = [
        ("house", f"seed {figures['seed']}, {len(plan.rooms)} rooms and a hallway"),
        ("remembered", f"{info['observations']:,} observations, {info['sightings']:,} sightings of "
                       f"{info['labels']} kinds, {info['keyframes']['count']} pictures"),
        ("path", f"{info['path_m']:.1f} m"),
        ("on disk", f"{info['bytes']['database'] / 1e6:.1f} MB"),
        ("tour", f"{figures['tour_s']} s; a frame: render {figures['render_ms']} ms, perceive "
                 f"{figures['perceive_ms']} ms, hand over {figures['remember_ms']} ms (medians)"),
        ("questions", f"{figures['questions_s']} s for {figures['asked']}, loading the text model "
                      "included"),
        ("verified", "stored + removed = acknowledged" if figures["verified"] else "NOT CLEAN"),
        ("machine", figures["machine"]),
    ]  # fmt: skip
    table = "".join(f"<tr><td>{_safe(k)}</td><td>{_safe(v)}</td></tr>" for k, v in rows)
    cards = "".join(_card(memory, number, item) for number, item in enumerate(asked, start=1))
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>A robot remembers a house</title><style>{_STYLE}</style></head><body>"
        "<h1>A robot remembers a house</h1>"
        "<p class='lead'>It drove through once, with a camera that sees colour and noisy depth. "
        f"Then it was asked {len(asked)} questions; {sum(i.right for i in asked)} answers are "
        "right by ground truth, which the memory never saw. Numbers on the map mark where the "
        "answers point.</p>"
        f"<div class='card map'>{_map(memory, plan, asked)}</div>"
        f"<h2>Questions</h2><div class='answers'>{cards}</div>"
        f"<h2>What it saw</h2><div class='card strip'>{_strip(memory)}</div>"
        f"<h2>Figures</h2><div class='card'><table>{table}</table></div></body></html>"
    )
    path.write_text(page, encoding="utf-8")
    return path


def _safe(text: object) -> str:
    return html.escape(str(text), quote=True)


def _map(memory: RobotMemory, plan: HousePlan, asked: Sequence[Asked]) -> str:
    width = max(room.low[0] + room.size[0] for room in plan.rooms) + 2 * _MARGIN
    height = max(room.low[1] + room.size[1] for room in plan.rooms) + 2 * _MARGIN

    def x(value: float) -> float:
        return round((value + _MARGIN) * _SCALE, 1)

    def y(value: float) -> float:
        return round((height - _MARGIN - value) * _SCALE, 1)

    parts = [
        f"<svg viewBox='0 0 {width * _SCALE:.0f} {height * _SCALE:.0f}' role='img' "
        "aria-label='Map of the house with path, things and answers' font-family='system-ui'>"
    ]
    for wall in plan.walls:
        (cx, cy, _), (w, d, _) = wall.centre, wall.size
        parts.append(
            f"<rect x='{x(cx - w / 2)}' y='{y(cy + d / 2)}' width='{w * _SCALE:.1f}' "
            f"height='{d * _SCALE:.1f}' fill='#98a2b3' opacity='.55'/>"
        )
    path = " ".join(f"{x(step.pose.x)},{y(step.pose.y)}" for step in trajectory(memory))
    parts.append(
        f"<polyline points='{path}' fill='none' stroke='#2a7de1' stroke-width='2' opacity='.5'/>"
    )
    scene = memory.scene()
    if scene is not None:
        for label, (tx, ty, _) in zip(scene.thing_label, scene.thing_position, strict=True):
            name = _safe(scene.labels[int(label)])
            parts.append(f"<circle cx='{x(tx)}' cy='{y(ty)}' r='4' fill='#667085'/>")
            parts.append(
                f"<text x='{x(tx) + 6}' y='{y(ty) + 4}' font-size='11' fill='currentColor'>{name}</text>"
            )
    for number, item in enumerate(asked, start=1):
        colour = _COLOURS[(number - 1) % len(_COLOURS)]
        for place, evidence in enumerate(item.answer.evidence[:5]):
            stood = evidence.observation.pose
            if evidence.position is None or stood is None or place:
                continue
            parts.append(
                f"<line x1='{x(stood.x)}' y1='{y(stood.y)}' x2='{x(evidence.position[0])}' "
                f"y2='{y(evidence.position[1])}' stroke='{colour}' stroke-dasharray='4 4'/>"
            )
        if item.answer.position is not None:
            px, py = x(item.answer.position[0]), y(item.answer.position[1])
            parts.append(f"<circle cx='{px}' cy='{py}' r='11' fill='{colour}'/>")
            parts.append(
                f"<text x='{px}' y='{py + 4}' font-size='12' fill='#fff' text-anchor='middle'>"
                f"{number}</text>"
            )
    return "".join((*parts, "</svg>"))


def _card(memory: RobotMemory, number: int, item: Asked) -> str:
    colour = _COLOURS[(number - 1) % len(_COLOURS)]
    verdict = (
        "<span class='good'>✓ right by ground truth</span>"
        if item.right
        else f"<span class='bad'>✗ expected: {_safe(item.expected)}</span>"
    )
    pictures: list[str] = []
    for evidence in item.answer.evidence:
        picture = _picture(memory, evidence.observation.id)
        if picture and len(pictures) < 2:
            what = evidence.sighting.label if evidence.sighting else evidence.observation.source
            pictures.append(
                f"<figure>{picture}<figcaption>{_safe(what)}, weight {evidence.weight:.2f}"
                "</figcaption></figure>"
            )
    return (
        f"<div class='card'><div class='question'><span class='dot' style='background:{colour}'>"
        f"{number}</span><span>{_safe(item.question)}</span></div>"
        f"<p>{_safe(item.answer.answer)}</p><div class='verdict'>{verdict} · "
        f"{_safe(item.answer.kind)} · {item.seconds * 1e3:.0f} ms</div>"
        f"<div class='evidence'>{''.join(pictures)}</div></div>"
    )


def _picture(memory: RobotMemory, observation_id: str) -> str:
    frame = memory.keyframe(observation_id)
    if frame is None:
        return ""
    data = base64.b64encode(frame.jpeg).decode("ascii")
    return f"<img alt='what the camera saw' loading='lazy' src='data:image/jpeg;base64,{data}'>"


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
