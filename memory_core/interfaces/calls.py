"""Every call there is over a memory: its name, arguments, reply, and what it is for.

MCP tools, HTTP routes and the tools of a language model are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from memory_core.interfaces import replies, requests


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        name: What clients call it.
        request: Its arguments.
        reply: What comes back.
        about: What it is for.
        changes: Whether it changes or moves something.
    """

    name: str
    request: type[requests.Request]
    reply: type[BaseModel]
    about: str
    changes: bool = False


CALLS: dict[str, Call] = {
    call.name: call
    for call in (
        Call("ask", requests.Ask, replies.Answer,
             "Answer a question in plain English from what the robot remembers, with evidence. "
             "Abstains where the memory holds none."),
        Call("recall", requests.Recall, replies.Recalled,
             "Find observations that fit words, a region and a span of time, best first."),
        Call("locate", requests.Locate, replies.Located,
             "Say where a kind of thing is, was last seen, and which such things are known."),
        Call("timeline", requests.Timeline, replies.Timeline,
             "List what happened in a span of time, in order."),
        Call("describe_area", requests.DescribeArea, replies.Area,
             "Say what is in a place or within a distance of a position: rooms, things, facts."),
        Call("forest", requests.Forest, replies.Forest,
             "Show the tree of areas, from whole floors down to places, with summaries."),
        Call("entity_history", requests.EntityHistory, replies.EntityHistory,
             "Tell where one thing, or each thing of a kind, was and when."),
        Call("what_changed", requests.WhatChanged, replies.Changes,
             "List things that moved, appeared or went between two moments."),
        Call("stats", requests.Stats, replies.Stats, "Counts, span, area and size of the memory."),
        Call("observation", requests.ById, replies.Observation,
             "One observation by its id, with all that was seen."),
        Call("keyframe", requests.ById, replies.Keyframe, "The picture (JPEG) of one observation."),
        Call("remember_note", requests.RememberNote, replies.Remembered,
             "Remember a note, at a position or none.", changes=True),
        Call("forget", requests.Forget, replies.Forgotten,
             "Remove observations for good, with a record of what went and why.", changes=True),
        Call("plan", requests.Plan, replies.Done,
             "Plan the steps that would reach a goal; nothing moves.", changes=True),
        Call("go_to", requests.GoTo, replies.Done, "Have the robot drive somewhere.", changes=True),
    )
}  # fmt: skip
READING = frozenset(name for name, call in CALLS.items() if not call.changes)
CHANGING = frozenset(CALLS) - READING
WRITING = frozenset({"remember_note", "forget"})
ACTING = CHANGING - WRITING
