"""Questions of moments, stays and counts."""

from __future__ import annotations

from memory_core.language.asked import Question
from memory_core.language.reading import WHEN, Asked


def count(asked: Asked) -> Question | None:
    """How many visits, things and occasions."""
    many = asked.has(
        r"\bhow (?:many|often|frequently|numerous)\b|\bcount\b|\bNUMBER of\b|\bon how many\b|^(?:please )?NUMBER (?:any |all |every )?T\d"
    )
    if not many or asked.place.upon is not None:
        return None
    if len(asked.names) == 1 and not asked.has(
        r"\bMOMENT\b|\bhow (?:often|frequently)\b|\b(?:near|on|under) T\d"
    ):
        return asked.question("how_many", asked.names, present=True)
    occasions = asked.has(
        r"\bhow (?:often|frequently)\b|\b(?:how many|NUMBER of|count)(?: [a-z]+)* (?:MOMENT|VISIT)\b"
    )
    if occasions and not asked.names and asked.room is None:
        if asked.has(r"\bMOMENT (?:do|have) (?:you )?(?:spend|put)\b|\bspen[dt]\b"):
            return None
        if asked.place.floor is not None:
            return None
        return asked.question("rooms", aspect="visits")
    return None


def when(asked: Asked) -> Question | None:
    """When a thing was seen, first or last."""
    if len(asked.names) != 1:
        return None
    if asked.has(r"\bhow (?:many|often|frequently)\b"):
        return None
    when = WHEN.search(asked.left) or asked.has(
        r"\bhow long (?:have|be|do) you (?:known?|aware|see|be aware|be familiar)\b|\bhow (?:recent|fresh|long ago)\b|\bMOMENT you (?:last |first )?see\b|\bMOMENT (?:see|of)\b|\bearl(?:y|ier|iest) you\b|\b(?:first|last) MOMENT you\b|\bhow long (?:be|have) it (?:be )?since\b|\bhow long since\b"
    )
    if not when or asked.has(r"\bwhere\b"):
        return None
    if asked.has(r"\bhow long since\b|\bhow long (?:be|have) it\b|\bhow long ago\b"):
        since_first = asked.has(r"\bfirst\b|\binitially\b|\boriginally\b")
        return asked.question("how_long", asked.names, order="first" if since_first else "last")
    early = asked.has(
        r"\b(?:first|earliest|begin|initially|known?|aware|since when|familiar|learn|debut|how long have)\b"
    ) and not asked.has(r"\b(?:last|recently|latest)\b")
    thing = asked.names
    if asked.has(r"\bbe you (?:in|at|near)\b") and not asked.has(r"\bsee\b"):
        return None
    return asked.question("when", thing, order="first" if early else "last")


def stayed(asked: Asked) -> Question | None:
    """How long the robot was in a room."""
    if asked.room is None or asked.names:
        return None
    if asked.has(
        r"\bhow long\b(?! ago)|\bhow much MOMENT\b|\bhow many MOMENT\b|\bfor how long\b|\b(?:what|which) (?:[A-Za-z]+ )?MOMENT do you (?:stand|spend|put)\b|\bSIDE of (?:MOMENT|VISIT)\b|\bVISIT to R\d\b.*\b(?:last|put|long)\b|\b(?:duration|length)\b|\bT\d of VISIT\b|\bMOMENT (?:do you |you )?(?:spend|spent|put)\b"
    ):
        if asked.has(r"\bhow many MOMENT\b") and not asked.has(
            r"\b(?:spend|spent|put|stand|long|last|lasted|in total|take)\b"
        ):
            return None
        return asked.question("how_long", robot=True)
    return None
