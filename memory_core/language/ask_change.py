"""Questions of change: what moved, from where, to where, when; new, gone, still there."""

from __future__ import annotations

from memory_core.language.asked import Question
from memory_core.language.reading import WHEN, WHERE, WHICH, YESNO, Asked

_SAME = r"\b(?:same|old|usual|previous|former|original|own) SPOT\b|\bwhere (?:it|SOMEBODY) (?:(?:used to|do|have|had) )?(?:be|stand|been)\b|\bwhere (?:it|SOMEBODY) (?:be )?(?:always|before|left|last)\b|\bas (?:it|SOMEBODY) (?:be|used)\b|\b(?:stand|been) put\b|\buntouched\b|\bnot (?:been )?move\b|\bunmoved\b"
_ELSEWHERE = r"\bmove\b|\b(?:another|change|other|appear) SPOT\b|\bsomewhere else\b|\belsewhere\b|\bhappen(?:ed|s)? to\b|\bthan before\b|\bswap\w*\b|\bchange\b"
_EARLIER = r"\b(?:before|earlier|previously|previous|former|formerly|old|original|originally|used to|use to|used|prior|beforehand|past|begin|until|at first|to begin with|first|before that|come from|go from|from)\b|\bSPOT (?:do|have) T\d leave\b|\bleave SPOT\b"


def moved(asked: Asked) -> Question | None:
    """Whether, when, from where and to where one thing was moved."""
    if len(asked.names) != 1 or asked.has(r"\bhow many\b"):
        return None
    (thing,) = asked.names
    same, moved = asked.has(_SAME), asked.has(_ELSEWHERE)
    when = WHEN.search(asked.left) or asked.has(
        r"\bhow long (?:ago )?(?:have|be|do)\b.*\bwhere it (?:be|stand)\b"
    )
    if (
        when
        and (
            moved
            or asked.has(
                r"\bwhere it (?:be|stand)\b|\b(?:put|leave)\b(?! in)(?! R)|\bappear SPOT\b"
            )
        )
        and not asked.has(r"\bsee\b")
    ):
        return asked.question("when", asked.names, aspect="moved")
    asks = WHERE.search(asked.left) or asked.has(
        rf"\b{WHICH} (?:[a-z]+ )?(?:SPOT|ROOM)\b|\bfrom what\b"
    )
    if (
        YESNO.search(asked.left)
        and (not asked.has(r"\bwhere\b(?! it)") or same)
        and not asked.has(r"^(?:can|could|would) (?:you|i|we)\b")
    ):
        if same or moved:
            return asked.question("changed", asked.names, aspect="whether moved")
        return None
    if not asks:
        return None
    room = asked.has(rf"\b{WHICH} ROOM\b")
    if asked.place.beside is not None or (
        asked.place.room is not None and not asked.has(r"\b(?:move|put)\b")
    ):
        return None
    if asked.has(r"\bwhere to\b|\bto where\b|\bto$|\b(?:appear|current|now) SPOT\b|\bnow\b") and (
        moved or asked.has(r"\bput|go|appear SPOT|end|SIDE\b")
    ):
        return asked.question("where", asked.names, aspect="moved to")
    if asked.has(rf"{_EARLIER}") and not asked.has(
        r"\b(?:first|begin) see\b|\bsee .* first\b|\bfirst MOMENT\b|\bfrom R\d|^(?:where do )?you first|\bdo you first\b|\bfirst see\b"
    ):
        return asked.question("where", asked.names, aspect="moved from")
    if (moved and not asked.has(r"\bthat (?:be|have) move\b")) or asked.has(
        rf"\bwhere (?:do|have|be) (?:SOMEBODY )?(?:put |take )*(?:{thing} )?(?:go|put|end|SIDE|now|leave|wind|land|been put|be put|get|travel)\b|\b{thing} (?:go|put|SIDE up|end up|ended up|land\w*|wind up|wound up|get to|got to)\b|\bSOMEBODY (?:go |have )?(?:put|leave|hide|hid)\b {thing}"
    ):
        return asked.question("where", asked.names, aspect="room moved to" if room else "moved to")
    return None


def changes(asked: Asked) -> Question | None:
    """What moved, what is new, what is gone, what changed."""
    if len(asked.names) == 1 or asked.place.thing:
        return None
    if asked.names or asked.has(r"\bhow (?:long|often)\b|\bROOM do\b"):
        return None
    things = asked.has(
        r"\b(?:what|which|THING|any|show|see|IDEA|that)\b|^(?:appear|move|vanish|change)\b|\bchange\b"
    )
    if not things or asked.has(r"\bwhere\b"):
        return None
    if (
        asked.has(r"\b(?:no longer|not any more)\b")
        and asked.has(r"\b(?:in|at) (?:its|their|old|usual|same|HERE)? ?SPOT\b|\bwhere\b")
    ) or asked.has(r"\bnot\b.*(?:\bSPOT\b|\bwhere (?:it|SOMEBODY)\b)"):
        return asked.question("changed", aspect="moved")
    if sum(asked.has(rf"\b{family}\b") for family in ("vanish", "appear", "move")) > 1:
        return asked.question("changed")
    if asked.has(r"\bnot as\b|\bas (?:it|SOMEBODY) (?:be|used)\b"):
        return asked.question("changed")
    if asked.has(r"\bnot (?:be )?(?:there|here)(?: [a-z]+)* (?:before|earlier|previously)\b"):
        return asked.question("changed", aspect="new")
    if asked.has(
        r"\bvanish\b|\bno longer\b|\bnot (?:there|here|around)\b.*\b(?:now|any more)\b|\b(?:there|here) (?:[a-z]+ )*(?:before|once|first MOMENT|earlier)\b.*\b(?:not|no)\b|\bnot (?:any ?more|see again)\b|\bused to be (?:there|here)\b|\bput away\b|\bput out\b|\bleave HOUSE\b"
    ):
        return asked.question("changed", aspect="gone")
    if asked.has(
        r"\bappear\b|\bnot (?:there|here|see)(?: [a-z]+)* before\b|\bfor first MOMENT\b|\bnever see before\b|\bnot (?:be )?(?:there|here) (?:before|earlier|previously|first MOMENT|last MOMENT)\b|\b(?:go|come) in(?:to)?(?: HOUSE)?\b(?! R)(?! what)|\bput in(?:to HOUSE)?\b|\bjoin\w*\b|\bextra\b"
    ):
        return asked.question("changed", aspect="new")
    if asked.has(
        r"\bmove\b|\b(?:somewhere else|elsewhere|another SPOT|change SPOT|other SPOT)\b|\bput somewhere\b|\bswap\w*\b|\bshuffle\w*\b"
    ):
        return asked.question("changed", aspect="moved")
    if asked.has(
        r"\bchange\b|\bnot as\b|\bas (?:it|SOMEBODY) (?:be|used)\b|\bnot same\b|\bnews\b|\bhappen(?:ed)?\b.*\b(?:since|between)\b|\bhappen(?:ed)? to R\d"
    ):
        return asked.question("changed")
    return None


def still(asked: Asked) -> Question | None:
    """Whether a thing is still there."""
    if len(asked.names) != 1 or not YESNO.search(asked.left) or asked.place.thing is not None:
        return None
    if asked.has(r"\bvanish\b|\bmiss\b"):
        return asked.question("ever", asked.names, aspect="gone", present=True)
    if asked.has(r"\bstill\b|\bany ?more\b|\bany longer\b"):
        negated = asked.has(r"\bnot\b") and False
        return asked.question(
            "ever", asked.names, aspect="gone" if negated else "still", present=True
        )
    return None
