"""Needs: "somewhere I could wash my hands", "where can I sleep", "I'm thirsty".

A need names no thing but what one wants to do. Here the words of the need are cut out of the
question; what answers it is found by meaning among `AFFORDANCES`.
"""

from __future__ import annotations

import re

_CARRIER = (
    r"(?:(?:please |can you |could you |would you |do you |is there |are there |have you |i |we |"
    r"where |any idea |what |help |me |us |my |you |to |a |an )*"
    r"(?:need|needs|want|would like|'d like|require|am after|after|looking for|searching for|look for|seek|think of|know of|know|find|"
    r"suggest|recommend|show|point|get|see|seen|have|there|got|for|name|tell|take|lead|direct|is|be|bring|fetch|locate|idea|where|could use|fancy|hunting for|dying for|in need of|there be)"
    r"(?: (?:me|us|of|to|for|about|out|where|there|is|towards|you|i|can|could|find|see|get|have))* ?)"
)
_SOME = (
    r"(?:something|somewhere|someplace|anything|anywhere|some place|somebody|"
    r"(?:a|an|any|some|the) (?:good |nice |quiet |suitable |proper |decent |safe |quick |handy |comfortable |soft |warm |cool |cold |convenient )*"
    r"(?:place|thing|spot|way|room|corner|object|item|device|tool|means|piece of furniture|machine|appliance|gadget|surface|container|stuff))"
)
_FOLLOWS = (
    r"(?:to|where|that|which|i|we|one|you|for|with|in which|on which|soft|warm|cold|cool|hot|comfortable|dry|wet|clean|sharp|of|my|books|"
    r"clothes|people|planes|cars|from which|so i|can|could|able|suitable|good|made|in|big|small|readable|nice|light|planes|"
    r"the|a|an)"
)
_NOT_A_NEED = re.compile(
    rf"{_SOME} (?:(?:that|which) )?(?:(?:is|are|was|lies|stands|sits|you see) )?(?:lying |standing |sitting |right |close |placed )*(?:on|under|near|next|beside|by|at|inside|behind|below|above|"
    r"underneath|atop|in the|in your|changed|moved|new|missing|gone|different|happened|you|else)\b"
)
_NEED = re.compile(rf"^{_CARRIER}?(?P<need>{_SOME} {_FOLLOWS}\b.*)$")
_MADE_FOR = re.compile(
    rf"^{_CARRIER}(?P<need>(?:a|an|some) (?!(?:room|house)\b)[a-z -]+? (?:to (?!the\b|a\b|my\b)[a-z]+|where|(?:that |which )?i (?:can|could|might)|for [a-z]+ing|with [a-z]+ and [a-z]+ keys)\b.*)$"
)
_WHERE_TO = re.compile(
    r"^(?:(?:please |can you |could you )?(?:tell|show) me |do you know |any idea )?where(?:abouts)? (?:(?:can|could|should|might|would|may|do|does|shall) )(?:i|we|one|you|someone|somebody|people|a person|guests?) (?:best |go to |go and |go |to )?"
    r"(?P<need>(?!(?:find|see|get|spot|look|locate|notice|last|first|put (?:the|my|your)|leave|left|went|be|have|think|keep the|store the|stand|start|begin|end|stop|drive|come from|come|go$|go\b|head|move|enter|visit|meet|encounter|remember|discover|observe|come across)\b)[a-z]+\b.*)$"
)
_WHAT_WITH = re.compile(
    r"^(?:what|which (?:thing|object|item)|how) (?:can|could|should|might|do|would) (?:i|we|one|you) (?P<need>(?:use (?:to|for)|(?!see|find|say|do|tell|get|have|use|name|remember|know|you|describe|call|characteri[sz]e|think|picture|sum)[a-z]+) .*?(?: with| on| in)?)$"
)
_WISH = re.compile(
    r"^(?:i|we) (?:(?:really |just |desperately )?(?:want|need|would like|have|wish|am going|'d like|should like|feel like|fancy|must|got to|have got) to|must|'d love to|would love to|feel like|fancy) (?!know\b|hear\b|learn\b|ask\b|be told\b|be reminded\b|have (?:a|an|your) (?:description|look|overview|idea|account)\b|have the\b|find\b|see\b|get the\b|get my\b|look\b|locate\b|go to the\b)(?P<need>[a-z]+\b.*)$"
)
_RELIEF = re.compile(
    rf"^(?:{_CARRIER}|where is |where's |where are |where was )?(?P<need>(?:the |a |your )?(?:nearest |closest )?(?:wc|w\.c\.|loo|restroom|rest room|washroom|lavatory|powder room|gents|ladies|ladies' room|men's room|john|"
    r"privy|bog|little boys' room|little girls' room|toilet facilities|conveniences?))$"
)
_FEELING = re.compile(
    r"^i(?:'m| am| feel) (?:so |very |really |a bit |feeling |getting )?(?P<need>(?:thirsty|hungry|tired|sleepy|exhausted|cold|dirty|filthy|bored|wet|sweaty|freezing|weary|soaked|starving)\b.*)$"
)


def take_need(text: str) -> str | None:
    """The need that a question voices; None where it asks for something by name.

    Args:
        text: Lower case.
    """
    text = text.replace("i'm looking", "i am looking").replace("i'd ", "i would ")
    text = re.sub(r"^i am (?=looking|searching|after|hunting|in need|dying)", "i ", text)
    if re.search(
        r"\b(?:room|rooms) (?:with|that|where) the\b|\bthe rooms? (?!to\b|where i\b|in which i\b|i\b)|\bnext to\b|\bnearest\b|\bclosest\b",
        text,
    ):
        return None
    for pattern in (_RELIEF, _NEED, _MADE_FOR, _WHERE_TO, _WISH, _FEELING, _WHAT_WITH):
        found = pattern.match(text)
        if found and not _NOT_A_NEED.search(text):
            return found["need"].strip(" ,?!.")
    return None
