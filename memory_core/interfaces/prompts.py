"""Prompts for common jobs over a memory: words that a person picks and a model follows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from memory_core.errors import InvalidQuery

MAX_ARGUMENT = 200


@dataclass(frozen=True, slots=True)
class Prompt:
    """A job in words.

    Attributes:
        name: What it is picked by.
        about: What it is for.
        arguments: What is filled in, by name, each with what it means.
        text: The words, with `{name}` where an argument goes.
    """

    name: str
    about: str
    arguments: Mapping[str, str]
    text: str


PROMPTS: dict[str, Prompt] = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            "find_thing", "Find where something is",
            {"thing": "what is looked for, for example: red mug"},
            "Find the thing named {thing} in the robot's memory. Call `locate`; where it abstains, "
            "try `recall` with other words. Say where it is (room and position in metres), when it "
            "was last seen, how sure that is, and which observations say so. Look at one keyframe "
            "where there is any doubt.",
        ),
        Prompt(
            "what_happened", "Tell what happened in a span of time",
            {"start": "ISO 8601, for example 2026-03-03T09:00", "end": "ISO 8601"},
            "Tell what the robot did and saw from {start} to {end}. Call `timeline` for that span, "
            "then `what_changed` since its start. Write a short account in order, with times and "
            "the ids of events.",
        ),
        Prompt(
            "tour", "Describe the building the robot knows",
            {},
            "Describe the building from the robot's memory. Call `stats` and `forest`, then "
            "`describe_area` for the most important places. Tell it floor by floor and room by "
            "room: what each is for and what stands in it.",
        ),
        Prompt(
            "check_changes", "Say what changed since a moment",
            {"since": "ISO 8601, for example 2026-03-03T09:00"},
            "Say what changed in the building since {since}. Call `what_changed`, then "
            "`entity_history` for each thing that moved. Tell what moved, what is new and what is "
            "gone, each with where and when.",
        ),
    )
}  # fmt: skip


def prompt_text(name: str, arguments: Mapping[str, str]) -> str:
    """The words of a prompt, with its arguments filled in as quotations.

    Args:
        name: Of `PROMPTS`.
        arguments: Exactly those it has.

    Raises:
        InvalidQuery: There is no such prompt, or an argument is missing, unknown or too long.
    """
    prompt = PROMPTS.get(name)
    if prompt is None:
        raise InvalidQuery(f"there is no prompt {name[:64]!r}; expected {', '.join(PROMPTS)}")
    if set(arguments) != set(prompt.arguments):
        wanted = ", ".join(prompt.arguments) or "none"
        raise InvalidQuery(f"prompt {name} takes these arguments: {wanted}")
    for key, value in arguments.items():
        if not value.strip() or len(value) > MAX_ARGUMENT:
            raise InvalidQuery(f"{key} has {len(value)} characters; expected 1 to {MAX_ARGUMENT}")
    quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in arguments.items()}
    return prompt.text.format(**quoted)
