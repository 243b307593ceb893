"""Questions of place: where, in which room, on what, beside what, what is there."""

from __future__ import annotations

import re

from memory_core.language.asked import Kind, Question
from memory_core.language.reading import FIND, NEAR, WHERE, WHICH, YESNO, Asked, T, related

_FRONTED = re.compile(
    r"^(?:(?:if|when|as) )?(?:(?:i|you|we|one) )?(?:[a-z]+ )*?(?:from|at|by|near|beside|to|with) (T\d)(?: (?:in|of) (?:R\d|HERE))? ?"
    r"(?:,|(?=where|which|what|show|find|see)).*$"
)
"""A place to look from, said before what is looked for."""


def extreme(asked: Asked) -> Question | None:
    """Of several things the one nearest to another, or farthest from it."""
    found = re.search(r"\b(nearest|farthest)\b", asked.left)
    if found is None:
        return None
    relation = found[1]
    rest = asked.left[found.end() :]
    direct = re.match(rf"(?: ONE)? {T} (?:to|from|near|of) {T}", rest)
    fronted = _FRONTED.match(asked.left[: found.start()])
    after = re.findall(r"T\d", rest)
    if direct:
        target, anchor = direct[1], direct[2]
    elif fronted and len(asked.names) == 2:  # "from the sofa, where is the nearest lamp"
        anchor = fronted[1]
        target = next(name for name in asked.names if name != anchor)
    else:
        anchor = after[0] if after else ""
        others = [name for name in asked.names if name != anchor]
        target = others[0] if others else ""
    if target and anchor:
        where = related(asked, anchor, "near" if relation == "nearest" else relation)
        return where.question("where", (target,), aspect=relation, present=True)
    if "UPON" in asked.left and not asked.names:
        return asked.question("what", aspect="neighbour")
    if anchor and asked.has(rf"\b{WHICH}\b|\bTHING\b") and not WHERE.search(asked.left):
        return related(asked, anchor, "near").question(
            "what", aspect="neighbour" if relation == "nearest" else "farthest"
        )
    return None


def on_what(asked: Asked) -> Question | None:
    """What a thing stands on."""
    if len(asked.names) != 1 or "UPON" in asked.left:
        return None
    (thing,) = asked.names
    if asked.has(r"\b(?:where|when|how|move|change|vanish|FLOOR)\b") or YESNO.search(asked.left):
        return None
    dangling = asked.has(r"\b(?:on|under)(?: (?:it|in R\d|in HERE))?$") or asked.has(
        r"\bon (?:top of )?(?:which|what)\b(?! (?:MOMENT|VISIT|FLOOR|ROOM))"
    )
    holds = asked.has(
        rf"\b(?:what|which(?: THING)?(?: of THING)?|THING) (?:be |that )?(?:support|supports|supporting|carry|carries|carrying|bear|bears|bearing|hold up|have up|holds up)\b(?: up)? {thing}"
    )
    below = asked.has(
        rf"\b(?:what|which|THING)\b.*\bunder {thing}(?: in R\d| in HERE)?$"
    ) and not asked.has(r"\bTHING be\b|\bwhich THING\b")
    if (dangling and asked.has(r"\b(?:what|which|THING)\b")) or holds or below:
        if dangling and asked.has(r"\bunder$"):
            return None
        return asked.question("what", asked.names, aspect="support")
    return None


def beside(asked: Asked) -> Question | None:
    """What is next to a thing."""
    if asked.has(r"\b(?:where|when|how|move|change|vanish|ROOM)\b") or not asked.has(NEAR):
        return None
    if "UPON" in asked.left:
        return asked.question("what", aspect="neighbour")
    wants = asked.has(r"\b(?:what|which(?! T)|THING|else)\b")
    if len(asked.names) == 1 and wants and not asked.has(r"\bhow many\b|\bVISIT\b"):
        return related(asked, asked.names[0], "near").question("what", aspect="neighbour")
    return None


def which_room(asked: Asked) -> Question | None:
    """Which room a thing is in."""
    if len(asked.names) != 1 or asked.place.beside is not None:
        return None
    if asked.has(
        rf"\b{WHICH} (?:of )?(?:[a-z]+ )?ROOM\b|^(?:please |can you )?(?:show|say|IDEA|see)(?: me)? (?:in )?ROOM\b|\bname of ROOM\b|\bROOM (?:be|do) T\d in\b|\bIDEA of ROOM\b|\bROOM (?:that |which )?(?:have|hold)\b|\bROOM (?:with|of|where)\b|^T\d .*\bROOM\b|\bROOM\b.*\bT\d (?:be|stand)?(?: in)?$|\bROOM\b"
    ):
        past = asked.has(r"\b(?:see|first|last)\b")
        order = "first" if asked.has(r"\bfirst\b") else "last" if asked.has(r"\blast\b") else None
        return asked.question("where", asked.names, aspect="room", order=order, present=not past)
    return None


_ON = r"\b(on|under)\b"


def what(asked: Asked) -> Question | None:
    """What is on, under or in something, and what else is in a room."""
    wants = asked.has(
        r"\b(?:what|which THING|THING|whatever|else)\b|^describe\b|^(?:show|see|IDEA|PORTRAIT|NUMBER)\b.*\bin (?:HERE|R\d)\b"
    ) or asked.has(r"\bPORTRAIT\b")
    if not wants or (
        asked.has(r"\b(?:where|when|how many)\b(?! (?:T\d|you|it) )")
        and not asked.has(r"\bthere be THING\b")
    ):
        return None
    held = re.search(rf"\bwhat do {T} (?:in (?:R\d|HERE) )?have$", asked.left)
    if held and len(asked.names) == 1:
        return related(asked, held[1], "on").question("what")
    relation = re.search(rf"{_ON} {T}", asked.left)
    if relation and len(asked.names) == 1:
        return related(asked, relation[2], relation[1]).question(
            "what", present=not asked.has(r"\bbe there\b.*was")
        )
    if asked.names:
        return None
    if asked.place.beside is not None and asked.has(r"\bHERE\b|\bTHING\b|\belse\b|\bwhat\b"):
        return asked.question("what", aspect="else")
    if asked.room is not None and not asked.has(r"\bhow\b"):
        return asked.question("what", present=False)
    if asked.place.floor is not None:
        return asked.question("what")
    if asked.has(
        r"\b(?:in|inside|about|of|around|through) HOUSE\b|\bSPOT (?:be )?like\b|\bHOUSE (?:be )?like\b|\bon (?:this |any |whole )?FLOOR\b|\bHOUSE have\b|\bHOUSE look\b|\bHOUSE IDEA\b|\bSPOT IDEA like\b"
    ) and asked.has(r"\bwhat\b|\bTHING\b|^describe\b|\bPORTRAIT\b"):
        return asked.question("describe")
    return None


def where(asked: Asked) -> Question | None:
    """Where a thing is or was."""
    if YESNO.search(asked.left) and not asked.has(
        r"\bwhere\b|^(?:can|could|would|will) (?:you|i|we) (?:please )?(?:show|see|find|help|point|IDEA|get|put|fetch|bring|search|locate|lead|guide|direct)\b|^have you see T\d(?: anywhere| lately| around| recently)?$|^do you (?:know|have any IDEA) "
    ):
        return None
    if asked.has(r"\bhow (?:many|often|frequently|long)\b"):
        return None
    where = WHERE.search(asked.left)
    if (
        not where
        and not FIND.search(asked.left)
        and not re.match(
            r"^T\d(?: in (?:R\d|HERE))?(?: (?:near|on|under) T\d)?(?: in (?:R\d|HERE))?$",
            asked.left,
        )
        and not asked.has(r"^T\d (?:'s )?SPOT|^T\d ,|\bwhere$")
    ):
        return None
    order = (
        "first"
        if asked.has(r"\bfirst (?:see|MOMENT)\b|\byou first\b|\bsee T\d first\b")
        else "last"
        if asked.has(r"\blast (?:see|MOMENT|known|stand|be)\b|\byou last\b|\bmost recently\b")
        else None
    )
    if asked.has(
        r"\b(?:be|do|go|have) you (?:stand |go |put |head |in |at |when |while |be |$)|\bbe you$|^where (?:do|be) you\b(?! (?:last |first |ever )?(?:see|know|put|think|have))"
    ):
        return None
    if re.search(r"\b(?:you|i|we) (?:last |first )?put\b", asked.left):
        return None
    relation = re.search(rf"\b(near|on|under|in) {T}", asked.left)
    if len(asked.names) == 2 and relation and relation[2] == asked.names[1]:
        asked = related(asked, relation[2], relation[1])
    if len(asked.names) == 1:
        past = (
            asked.has(r"\bsee\b")
            and where is not None
            and not asked.has(r"\b(?:can|could|would|do) (?:i|we|one) see\b|\bdo i see\b")
        ) or order is not None
        kind: Kind = (
            "where"
            if where and not asked.has(r"^i (?:can|could|vanish|be search|search|lose|have)\b")
            else "find"
        )
        return asked.question(kind, asked.names, order=order, present=not past)
    if (
        not asked.names
        and asked.room is not None
        and where
        and asked.has(r"\bbe R\d|\bsee R\d|R\d be\b|\bSPOT of R\d|^R\d$")
    ):
        return asked.question("rooms", aspect="where")
    if (
        not asked.names
        and asked.room is not None
        and FIND.search(asked.left)
        and asked.has(r"^(?:[a-z]+ )*(?:for |to |of )?(?:any )?R\d$")
    ):
        return asked.question("rooms", aspect="where")
    return None


def ever(asked: Asked) -> Question | None:
    """Whether something is, or was ever, in a room."""
    if (
        len(asked.names) == 1
        and (YESNO.search(asked.left) or asked.has(r"^(?:any|be any|see any) T\d"))
        and asked.place.called is not None
    ):
        if asked.has(r"\b(?:near|on|under) T\d"):
            return None
        past = asked.has(r"\bsee\b")
        return asked.question("ever", asked.names, present=not past)
    return None


def describe(asked: Asked) -> Question | None:
    """An overview of a room or of everything."""
    wants = asked.has(
        r"\bdescribe\b|\bPORTRAIT\b|\babout\b|\bIDEA like\b|\blook like\b|\bfeel like\b|\b(?:SPOT|HOUSE|FLOOR|R\d)(?: be)? like\b|\bequipped\b|\bkind of (?:SPOT|HOUSE)\b|\bhow (?:do|be)\b.*\b(?:look|IDEA|furnished|arranged|laid out|equipped|set up|fitted)\b"
    )
    if not wants or asked.names:
        return None
    if asked.room is not None:
        return asked.question("describe")
    if (
        asked.has(r"\bHOUSE\b|\bSPOT\b|\bFLOOR\b|\bTHING\b|\ball\b|\bPORTRAIT\b")
        or asked.place.floor is not None
    ):
        return asked.question("describe")
    return None
