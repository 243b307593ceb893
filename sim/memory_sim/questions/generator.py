"""Questions about one house: facts drawn from ground truth, worded as people ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_sim.questions.household import FIRST_DAY, NS
from memory_sim.questions.knowledge import Knowledge
from memory_sim.questions.truth import Fact, facts
from memory_sim.questions.unanswerable import unanswerable
from memory_sim.questions.wordings import Half, Wordings, early_phrase, sentence, time_phrase

GROUPS: dict[str, dict[str, int]] = {
    "where": {"where": 1, "which_room": 1, "where_in_room": 1},
    "two-hop": {"two_hop_where": 3, "two_hop_on": 2, "two_hop_beside": 1, "two_hop_else": 2},
    "relation": {
        "nearest": 2, "farthest": 1, "what_on": 1, "on_what": 1, "next_to": 1, "in_room": 2,
    },
    "order": {
        "order_which_first": 2, "order_before": 1, "order_after_yes": 1, "order_next": 1,
        "order_previous": 1, "order_room_next": 1, "order_rooms": 1, "order_first_room": 1,
    },
    "change": {
        "moved": 2, "moved_from": 1, "moved_to": 1, "moved_when": 1, "moved_things": 1,
        "new_things": 1, "gone_things": 1, "room_changed": 1, "still_there": 2,
    },
    "time": {
        "where_then": 2, "room_then": 1, "what_then": 1, "last_seen": 1, "first_seen": 1,
        "stayed": 1, "between": 1,
    },
    "overall": {
        "count_visits": 1, "count_rooms": 1, "list_rooms": 1, "count_things": 1,
        "describe_room": 1, "describe_all": 1,
    },
    "need": {"implicit": 3},
    "outside": {"before_memory": 0, "absent_floor": 0, "absent_part": 0},
}  # fmt: skip
"""Kinds of questions by group, with how many answerable ones are asked about a house."""
UNANSWERABLE = 18
"""How many unanswerable ones, of as many kinds, are asked about a house."""
GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
ABOUT_NOW_S = 60
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is asked.

    Attributes:
        text: In plain English.
        kind: Of question.
        half: Of the wordings.
        template: The wording.
        reversed: Whether "yes" means the opposite of what the kind asks.
        fact: What is right.
        now_ns: When it is asked: a minute after the last visit, or a day later where the
            question names a time itself ("on Tuesday").
    """

    text: str
    kind: str
    half: Half
    template: str
    reversed: bool
    fact: Fact
    now_ns: int

    @property
    def group(self) -> str:
        """The kind's group."""
        return GROUP_OF[self.kind]

    @property
    def answerable(self) -> bool:
        """Whether the memory can know."""
        return self.fact.expected.check != "refusal"


def ask_about(known: Knowledge, wordings: Wordings, *, seed: int) -> list[Question]:
    """Draw the questions about one house.

    Answerable facts are drawn with the seed alone, so that both halves of the wordings ask about
    the same things.

    Args:
        known: The house, and what was seen of it.
        wordings: One half.
        seed: Of the draw.
    """
    random = np.random.default_rng([seed, 1])
    voice = np.random.default_rng([seed, 2])
    chosen: list[Fact] = []
    answerable = facts(known)
    for kind in GROUP_OF:
        chosen += _draw(answerable.get(kind, []), GROUPS[GROUP_OF[kind]][kind], random)
    hollow = unanswerable(known, wordings)
    for kind in random.permutation(sorted(hollow))[:UNANSWERABLE]:
        chosen += _draw(hollow[str(kind)], 1, random)
    return [_worded(fact, known, wordings, voice) for fact in chosen]


def _draw(choices: Sequence[Fact], n: int, random: np.random.Generator) -> list[Fact]:
    """Draw facts, in turn from those of every variant and every truth, so that none is rare."""
    piles: dict[tuple[str, bool | None], list[Fact]] = {}
    for fact in choices:
        piles.setdefault((fact.variant, fact.expected.truth), []).append(fact)
    order = [list(piles.values())[i] for i in random.permutation(len(piles))]
    drawn: list[Fact] = []
    for turn in range(min(n, len(choices))):
        order = [pile for pile in order if pile]
        pile = order[turn % len(order)]
        drawn.append(pile.pop(int(random.integers(len(pile)))))
    return drawn


def _worded(
    fact: Fact, known: Knowledge, wordings: Wordings, voice: np.random.Generator
) -> Question:
    def pick(phrases: Sequence[str]) -> str:
        return phrases[int(voice.integers(len(phrases)))]

    template = pick(wordings.kinds[fact.kind])
    slots = dict(fact.slots)
    now_ns = known.house.visits[-1].end_ns + ABOUT_NOW_S * NS
    if fact.visit is not None:
        visit = known.house.visits[fact.visit]
        day = dt.datetime.fromtimestamp(visit.start_ns / NS, tz=dt.timezone.utc)
        phrase = pick(wordings.times["first" if fact.visit == 0 else "last"])
        slots["time"] = time_phrase(phrase, day)
        now_ns += DAY_S * NS
    if "{early}" in template:
        slots["early"] = early_phrase(pick(wordings.early_times), FIRST_DAY, voice)
    if fact.need:
        needs = wordings.needs if fact.need in wordings.needs else wordings.absent_needs
        slots["need"] = pick(needs[fact.need])
    text = sentence(template, slots)
    backwards = template in wordings.reversed
    return Question(text, fact.kind, wordings.half, template, backwards, fact, now_ns)
