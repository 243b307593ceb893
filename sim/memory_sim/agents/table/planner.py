"""From a plan, what is remembered and what is seen now, to the deed that is due."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from memory_core.types import FloatArray
from memory_sim.agents.table.ball_skills import Catch, Hit
from memory_sim.agents.table.instructions import (
    REVERSE_ORDER,
    Choose,
    Cue,
    MeetBall,
    Move,
    Plan,
    PressButton,
    ReturnAll,
    ShutDrawer,
    Step,
    Steps,
    TurnPeg,
    plan_of,
)
from memory_sim.agents.table.perception import Thing
from memory_sim.agents.table.recall import Look, Remembered, Run
from memory_sim.agents.table.skills import (
    Lift,
    Open,
    Press,
    Push,
    Put,
    Shut,
    Touch,
    Turn,
    wrapped,
)
from memory_sim.tasks.table.task import REACHABLE

Deed = Touch | Push | Lift | Put | Press | Shut | Open | Turn | Catch | Hit
_ON_PATCH_M, _DRAWER_OPEN_M, _DRAWER_AJAR_M = 0.05, 0.15, 0.05
_PUT_WITHIN_M, _TURNED_RAD = 0.035, 0.05
_LIKE_ENOUGH, _UNLIKE = 12.0, 1e6
_SQUARE = math.pi / 2


@dataclass(frozen=True, slots=True)
class Present:
    """What is seen now, in whole, and what is remembered.

    Attributes:
        look: What is seen now.
        remembered: All looks and deeds that are.
        first_ns: When the episode began.
        random: What guesses are drawn from.
    """

    look: Look
    remembered: Remembered
    first_ns: int
    random: np.random.Generator

    @property
    def looks(self) -> list[Look]:
        """Remembered looks, or, where none is, that of now."""
        return self.remembered.looks or [self.look]


def due(plan: Plan, present: Present) -> Deed | None:
    """The deed that is due now; None while there is nothing to do but watch."""
    if isinstance(plan, Choose):
        return _chosen(plan, present)
    if isinstance(plan, ReturnAll):
        return _returned(plan, present)
    if isinstance(plan, TurnPeg):
        return _turned(plan, present)
    if isinstance(plan, MeetBall):
        spots = _all_seen("spot", present)
        return Catch() if plan.catch else Hit(spots[0].top[:2]) if spots else None
    return _next_step(plan, present)


def came_about(deed: Deed, look: Look) -> bool:
    """Whether a look does not speak against a deed having been done."""
    if isinstance(deed, Put):
        return any(math.dist(thing.top[:2], deed.place) < _PUT_WITHIN_M for thing in _cubes(look))
    if isinstance(deed, Shut | Open):
        mine = [d for d in _seen(look, "drawer") if abs(d.top[1] - deed.knob[1]) < _ON_PATCH_M]
        travel = mine[0].travel_m if mine else 0.0
        return travel > _DRAWER_OPEN_M if isinstance(deed, Open) else travel < _DRAWER_AJAR_M
    return not isinstance(deed, Turn)


def _chosen(plan: Choose, present: Present) -> Deed | None:
    """One of those that stand for choice: what is like those shown, or a guess."""
    at = _cue_look(plan.cue, present)
    if at is None:
        return None
    candidates = [thing for thing in at.things if thing.kind in plan.among]
    if not candidates:
        return None
    order = _matched(plan, present.remembered, candidates, at)
    done = len(present.remembered.deeds)
    number = order[done] if done < len(order) else int(present.random.integers(len(candidates)))
    thing = candidates[number]
    if plan.deed == "touch":
        return Touch(thing.top)
    if plan.deed == "press":
        return Press(thing.top)
    if plan.deed == "push":
        return Push(thing.top)
    return Lift(thing.top, 0.0 if thing.kind == "cup" else wrapped(thing.yaw, _SQUARE))


def _matched(plan: Choose, remembered: Remembered, candidates: list[Thing], at: Look) -> list[int]:
    """Numbers of the candidates that are like what was shown, in the order in which they are due."""
    far = np.full((len(candidates), len(remembered.runs)), np.inf)
    for number, thing in enumerate(candidates):
        for run, distance in remembered.like(thing, plan.alike, lambda run: _shown(run, plan, at)):
            far[number, remembered.runs.index(run)] = distance
    columns = [n for n in range(far.shape[1]) if np.isfinite(far[:, n]).any()]
    columns.sort(key=lambda n: remembered.runs[n].stamps_ns[0])
    numbers = [int(np.argmin(far[:, column])) for column in columns]
    if _seen_together([remembered.runs[n] for n in columns]) and len(columns) <= len(candidates):
        numbers = _one_each(far[:, columns])
    if not plan.again:
        numbers = list(dict.fromkeys(numbers))
    return numbers[::-1] if plan.order == REVERSE_ORDER else numbers


def _seen_together(runs: list[Run]) -> bool:
    """Whether one look showed them all: then no two of them are the same thing."""
    return bool(runs) and bool(set.intersection(*(set(run.stamps_ns) for run in runs)))


def _one_each(far: FloatArray) -> list[int]:
    """A candidate of its own for each column, so that all together differ least (Kuhn 1955)."""
    rows, columns = linear_sum_assignment(np.where(np.isfinite(far), far, _UNLIKE))
    return [int(rows[columns == column][0]) for column in range(far.shape[1])]


def _shown(run: Run, plan: Choose, at: Look) -> bool:
    """Whether something was shown, and gone before the choice."""
    lit = run.first.lit and run.first.kind == "button"
    kind = lit if plan.shown == ("lit",) else run.first.kind in plan.shown
    return kind and run.stamps_ns[-1] < at.stamp_ns


def _returned(plan: ReturnAll, present: Present) -> Deed | None:
    """The next cube that is not where it was shown, and its place."""
    at = _cue_look(plan.cue, present)
    if at is None:
        return None
    cubes = sorted(_cubes(at), key=lambda cube: cube.top[1])
    done = len(present.remembered.deeds)
    if not cubes:
        return None
    cube = cubes[done % len(cubes)]
    found = present.remembered.like(
        cube, ("colour",), lambda run: run.first.kind == "thing" and run.stamps_ns[-1] < at.stamp_ns
    )
    place = found[0][0].things[-1].top[:2] if found else _somewhere(present)
    now = min(_cubes(present.look), key=lambda c: math.dist(c.top, cube.top), default=cube)
    return Put(now.top, wrapped(now.yaw, _SQUARE), place)


def _turned(plan: TurnPeg, present: Present) -> Deed | None:
    """The rest of the turn that was told."""
    pegs = _seen(present.look, "peg")
    if not pegs:
        return None
    told = [angle for look in present.remembered.looks
            if isinstance(before := plan_of(look.told), TurnPeg)
            and (angle := before.angle_rad) is not None]  # fmt: skip
    angle = told[0] if told else float(present.random.uniform(-_SQUARE, _SQUARE))
    runs = [run for run in present.remembered.runs if run.first.kind == "peg"]
    start = runs[0].first if runs else pegs[0]
    way = wrapped(pegs[0].yaw - start.yaw, math.pi)
    between = min(0.0, angle), max(0.0, angle)
    turned = min(
        (way - math.pi, way, way + math.pi), key=lambda turn: abs(turn - np.clip(turn, *between))
    )
    left = angle - turned
    return Turn(pegs[0].top, pegs[0].yaw, left) if abs(left) > _TURNED_RAD else None


def _next_step(plan: Steps, present: Present) -> Deed | None:
    """The first of several deeds that was not yet done."""
    done = len(present.remembered.deeds)
    if not done and present.looks[0].stamp_ns > present.first_ns:
        done = _guessed_progress(plan, present)
    return _step(plan.steps[done], present) if done < len(plan.steps) else None


def _guessed_progress(plan: Steps, present: Present) -> int:
    """How many steps may be done, where how it began is not remembered: the table tells of the first."""
    first = _step(plan.steps[0], present)
    if first is None or not came_about(first, present.look):
        return 0
    return int(present.random.integers(1, len(plan.steps)))


def _step(step: Step, present: Present) -> Deed | None:
    """The deed that a step asks for."""
    if isinstance(step, Move):
        return _moved(step, present)
    if isinstance(step, PressButton):
        buttons = _seen(present.look, "button")
        return Press(buttons[0].top) if buttons else None
    drawers = _seen(present.look, "drawer")
    if isinstance(step, ShutDrawer):
        drawer = max(drawers, key=lambda drawer: drawer.travel_m, default=None)
        return None if drawer is None else Shut(_knob(drawer), drawer.travel_m)
    return _reopened(drawers, present)


def _reopened(drawers: list[Thing], present: Present) -> Deed | None:
    """The drawer at whose place one stood open."""
    if not drawers:
        return None
    opened = [run for run in present.remembered.runs
              if run.first.kind == "drawer" and run.first.travel_m > _DRAWER_OPEN_M]  # fmt: skip
    if not opened:
        return Open(_knob(drawers[int(present.random.integers(len(drawers)))]))
    across = opened[0].first.top[1]
    return Open(_knob(min(drawers, key=lambda drawer: abs(drawer.top[1] - across))))


def _moved(step: Move, present: Present) -> Deed | None:
    """A cube to where it is to come."""
    cubes = _cubes(present.look)
    cube = _which(step.what, cubes, present)
    place = None if cube is None else _where(step.where, cube, cubes, present)
    if cube is None or place is None:
        return None
    return Put(cube.top, wrapped(cube.yaw, _SQUARE), place)


def _which(what: str, cubes: list[Thing], present: Present) -> Thing | None:
    """The cube that is meant."""
    if not cubes:
        return None
    if what == "off the patches":
        patches = _all_seen("patch", present)
        return max(cubes, key=lambda cube: _nearest(cube, patches))
    if what == "not yet moved" and present.remembered.runs:
        return min(cubes, key=lambda cube: _stood_since(cube, present))
    return cubes[int(present.random.integers(len(cubes)))]


def _stood_since(cube: Thing, present: Present) -> int:
    """When a cube was first seen where one stands now."""
    found = present.remembered.like(cube, ("place",), lambda run: run.first.kind == cube.kind)
    here = [run.stamps_ns[0] for run, distance in found if distance < _LIKE_ENOUGH]
    return min(here, default=present.look.stamp_ns)


def _where(
    where: str, cube: Thing, cubes: list[Thing], present: Present
) -> tuple[float, float] | None:
    """The place that is meant."""
    if where == "at first":
        found = present.remembered.like(cube, ("colour",), lambda run: run.first.kind == cube.kind)
        runs = sorted((run for run, _ in found), key=lambda run: run.stamps_ns[0])
        patches = _all_seen("patch", present)
        if runs:
            return _snapped(runs[0].first, patches)
        if patches:
            return patches[int(present.random.integers(len(patches)))].top[:2]
        return _somewhere(present)
    marks = _all_seen("spot" if where == "spot" else "patch", present)
    if where == "empty patch":
        marks = sorted(marks, key=lambda mark: -_nearest(mark, cubes))
    return marks[0].top[:2] if marks else None


def _snapped(thing: Thing, patches: list[Thing]) -> tuple[float, float]:
    """The middle of the patch that a thing stood on, or where it stood."""
    on = [patch for patch in patches if _nearest(thing, [patch]) < _ON_PATCH_M]
    return (on[0] if on else thing).top[:2]


def _cue_look(cue: Cue, present: Present) -> Look | None:
    """The look that showed best what the cue speaks of; None where none did."""
    emptied = not cue.again or present.looks[0].stamp_ns > present.first_ns
    best, most, shown = None, cue.at_least - 1, False
    for look in present.looks:
        fits = sum(thing.kind in cue.kinds for thing in look.things)
        if emptied and fits > most:
            best, most = look, fits
        emptied = emptied or (shown and not fits)
        shown = shown or fits > 0
    return best


def _all_seen(kind: str, present: Present) -> list[Thing]:
    """Things of a kind that do not move, seen now or remembered."""
    found = _seen(present.look, kind)
    for run in present.remembered.runs:
        if run.first.kind == kind and _nearest(run.first, found) > _ON_PATCH_M:
            found.append(run.first)
    return found


def _somewhere(present: Present) -> tuple[float, float]:
    x, y = present.random.uniform(*REACHABLE).tolist()
    return (x, y)


def _nearest(thing: Thing, others: list[Thing]) -> float:
    return min((math.dist(thing.top[:2], other.top[:2]) for other in others), default=math.inf)


def _seen(look: Look, kind: str) -> list[Thing]:
    return [thing for thing in look.things if thing.kind == kind]


def _cubes(look: Look) -> list[Thing]:
    return _seen(look, "thing")


def _knob(drawer: Thing) -> tuple[float, float, float]:
    x, y, z = drawer.top
    return (x, y, z)
