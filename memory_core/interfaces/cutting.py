"""Replies kept short: long words cut, long lists halved, and the reply says so."""

from __future__ import annotations

import json

from memory_core.errors import InvalidQuery
from memory_core.types import Json


def fitting(reply: dict[str, Json], limit: int) -> dict[str, Json]:
    """A reply whose longest list is halved until it fits; `truncated` says that it was.

    Args:
        reply: A JSON object.
        limit: Most characters of its JSON.

    Raises:
        InvalidQuery: It does not fit without lists either.
    """
    shown = dict(reply)
    while len(json.dumps(shown)) > limit:
        lists = [name for name, value in shown.items() if isinstance(value, list) and value]
        if not lists:
            raise InvalidQuery("the reply is too long to send; ask for less")
        longest = max(lists, key=lambda name: len(json.dumps(shown[name])))
        shown[longest] = shown[longest][: len(shown[longest]) // 2]
        shown["truncated"] = True
    return shown


def short(value: Json, most: int) -> Json:
    """JSON with every string cut to so many characters.

    Args:
        value: Anything.
        most: Characters, the mark of the cut included.
    """
    if isinstance(value, str):
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, dict):
        return {key: short(item, most) for key, item in value.items()}
    if isinstance(value, list):
        return [short(item, most) for item in value]
    return value
