"""What an instruction asks for: a sentence is read clause by clause into a typed plan."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from memory_core.errors import GoalNotUnderstood

ANY_ORDER, SHOWN_ORDER, REVERSE_ORDER = "any", "shown", "reverse"
_ORDERS = {
    "in any order": ANY_ORDER,
    "in the order in which they were shown": SHOWN_ORDER,
    "in the reverse order of being shown": REVERSE_ORDER,
}
_DEEDS = {"touch": "touch", "push": "push", "lift": "lift", "press": "press"}
_ALIKE = {"colour": ("colour",), "shape": ("outline",), "shape and colour": ("outline", "colour")}


@dataclass(frozen=True, slots=True)
class Cue:
    """What says that it is time to act.

    Attributes:
        kinds: Of what has to stand there.
        again: Whether the table has to have been empty before.
        at_least: So many.
    """

    kinds: tuple[str, ...]
    again: bool = False
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Choose:
    """Do something to those that are like what was shown.

    Attributes:
        deed: `touch`, `push`, `lift` or `press`.
        among: Kinds to choose from.
        shown: Kinds of what counts as shown.
        alike: In what the two are compared: `colour`, `outline`, `place`.
        order: `any`, `shown` or `reverse`.
        cue: When.
        again: Whether what was shown twice is due twice.
    """

    deed: str
    among: tuple[str, ...]
    shown: tuple[str, ...]
    alike: tuple[str, ...]
    order: str
    cue: Cue
    again: bool = False


@dataclass(frozen=True, slots=True)
class ReturnAll:
    """Put each thing where it was shown."""

    cue: Cue


@dataclass(frozen=True, slots=True)
class Move:
    """Bring a thing somewhere.

    Attributes:
        what: `only`, `off the patches` or `not yet moved`.
        where: `spot`, `empty patch` or `at first`.
    """

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class PressButton:
    """Press the button."""


@dataclass(frozen=True, slots=True)
class ShutDrawer:
    """Shut the drawer that is open."""


@dataclass(frozen=True, slots=True)
class OpenDrawer:
    """Open the drawer that was open."""


Step = Move | PressButton | ShutDrawer | OpenDrawer


@dataclass(frozen=True, slots=True)
class Steps:
    """One deed after the other."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class TurnPeg:
    """Turn a peg; the angle, radians counter-clockwise, is None where it was told before."""

    angle_rad: float | None
    cue: Cue = Cue(("peg",))


@dataclass(frozen=True, slots=True)
class MeetBall:
    """Catch a ball, or hit it to a round spot."""

    catch: bool


Plan = Choose | ReturnAll | Steps | TurnPeg | MeetBall

_WHEN = r"When (?P<cue>[^,]+), (?P<do>.+)"
_CUES = (
    (r"(several|more) things stand on the table", Cue(("thing", "ball"), again=True, at_least=2)),
    (r"cups stand on the table", Cue(("cup",))),
    (r"the round spot appears", Cue(("spot",))),
    (r"(it comes|they come) back elsewhere|they stand in a row", Cue(("thing",), again=True)),
)
_DO = (
    r"(?P<deed>touch|push|lift|press)(?: 10 cm away(?: from where it stands)?| by \d+ cm)? (?P<which>.+?)"
    r"(?:,? (?P<order>in (?:any|the) [^,]*?order[^,]*))?(?:, as often as each was lit)?(?:, and no others)?"
)
_TURN = (
    r"(?:.*: when a peg lies on the table, t|T)urn (?:it|the peg) by "
    r"(?:(?P<degrees>\d+) degrees (?P<side>counter-clockwise|clockwise)|the angle that you were told)\b.*"
)
_STEPS: tuple[tuple[str, Step | None], ...] = (
    (r"press the button", PressButton()),
    (r"close the drawer that is open", ShutDrawer()),
    (r"open the drawer(?: again)? that was open(?: before)?", OpenDrawer()),
    (r"when the target changes its colour", None),
)
_MOVE = r"(?:bring|move|put) the (?:cube|block)(?P<what> that .+?)?(?: back)? to (?P<where>.+)"
_WHAT = {
    None: "only", " that is not on a patch": "off the patches",
    " that has not been moved yet": "not yet moved",
}  # fmt: skip
_WHERE = (
    (r"the round (spot|target)( in the middle)?", "spot"), (r"the empty patch", "empty patch"),
    (r"(the patch )?where it (was|stood|lay)( at first)?", "at first"),
)  # fmt: skip


def plan_of(instruction: str) -> Plan:
    """Read an instruction.

    Raises:
        GoalNotUnderstood: It asks for something else than this body can do.
    """
    text = instruction.strip().removesuffix(".")
    sentences = text.split(". ")
    if turn := re.fullmatch(_TURN, text):
        return TurnPeg(_angle(turn["degrees"], turn["side"]))
    if "ball rolls" in sentences[0] and len(sentences) == 2:
        if re.match(r"Catch it\b", sentences[1]):
            return MeetBall(catch=True)
        if re.match(r"Hit it\b.*round target", sentences[1]):
            return MeetBall(catch=False)
    remember = re.match(r"Remember (?P<what>.+)", sentences[0])
    if remember and len(sentences) == 2 and (when := re.fullmatch(_WHEN, sentences[1])):
        return _after_showing(remember["what"], when["cue"], when["do"], instruction)
    clauses = re.split(r", then |, |\. ", text)
    steps = [_step(clause, instruction) for clause in clauses]
    return Steps(tuple(step for step in steps if step is not None))


def _after_showing(shown: str, cue: str, do: str, instruction: str) -> Plan:
    """What is to be done, when something is there, with what was shown."""
    when = next((known for words, known in _CUES if re.fullmatch(words, cue)), None)
    if when is None:
        raise _not_understood(cue, instruction)
    if re.fullmatch(r"put (it|each) where it was shown(, in any order)?", do):
        return ReturnAll(when)
    asked = re.fullmatch(_DO, do)
    if asked is None:
        raise _not_understood(do, instruction)
    deed, which = _DEEDS[asked["deed"]], asked["which"]
    order = _ORDERS.get(asked["order"] or "in any order")
    if order is None:
        raise _not_understood(asked["order"], instruction)
    if re.search(r"\bcup\b", which) and "ball" in shown:
        return Choose(deed, ("cup",), ("ball",), ("place",), order, when)
    if which == "them" and "light up" in shown:
        return Choose(deed, ("button",), ("lit",), ("place",), order, when, again=True)
    kinds = ("thing",) if "balls do not count" in shown else ("thing", "ball")
    alike = re.fullmatch(r"(?:the one|those) of the same (?P<alike>.+)", which)
    if alike is None or alike["alike"] not in _ALIKE:
        raise _not_understood(which, instruction)
    return Choose(deed, kinds, kinds, _ALIKE[alike["alike"]], order, when)


def _step(clause: str, instruction: str) -> Step | None:
    """One deed of several; None where a clause only says when."""
    lowered = clause[:1].lower() + clause[1:]
    for words, step in _STEPS:
        if re.fullmatch(words, lowered):
            return step
    move = re.fullmatch(_MOVE, lowered)
    where = move and next(
        (name for words, name in _WHERE if re.fullmatch(words, move["where"])), None
    )
    if move is None or where is None or move["what"] not in _WHAT:
        raise _not_understood(clause, instruction)
    return Move(_WHAT[move["what"]], where)


def _angle(degrees: str | None, side: str | None) -> float | None:
    if degrees is None:
        return None
    return math.radians(float(degrees)) * (1 if side == "counter-clockwise" else -1)


def _not_understood(part: str, instruction: str) -> GoalNotUnderstood:
    return GoalNotUnderstood(
        f"{part!r} of the instruction {instruction[:120]!r} asks for nothing that is known here; "
        "expected things to choose, bring, press, open, turn or catch"
    )
