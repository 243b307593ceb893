"""Names of several words of which one alone would be read as a verb: "umbrella stand".

"Where does the umbrella stand?" asks of an umbrella, "where is the umbrella stand?" of a stand.
Such names are joined before a question is taken apart, and loosened again in what it names.
"""

from __future__ import annotations

import re

_FUNCTION = (
    r"(?:in|on|at|to|of|from|by|with|near|under|is|are|was|were|be|been|has|have|had|do|does|did|can|could|will|would|"
    r"and|or|that|which|who|where|when|what|how|the|a|an|than|as|for|around|there|here|things?|objects?|items?|ones?|"
    r"you|i|we|it|they|up|out|off|away|now|since|between|over|through|after|before)"
)
_ARTICLE = r"(?<=\bthe )|(?<=\ba )|(?<=\ban )|(?<=\bmy )|(?<=\byour )|(?<=\bour )|(?<=\bany )"
_STAND = r"(?:umbrella|hat|coat|music|tv|television|night|cake|wash|flower|plant|candle|bike|bicycle|book|microphone|mike|magazine|monitor|shoe|towel|ink|test|display|kick|pen|spoon|dress|cup|printer|keyboard|phone|news|lamp|hall|bed)"
_JOINED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\bdo )(?<!\bdoes )(?<!\bdid )\b(?P<one>(?<!do the )(?<!does the )(?<!did the )(?<!do a )(?<!did a )(?<!does my )(?<!did my ){_STAND}) (?P<two>stand)\b",
        rf"(?P<one>\b{_STAND}) (?P<two>stand)(?= stand)",
        rf"(?<=many )(?P<one>{_STAND}) (?P<two>stands)\b|(?<=of )(?P<three>{_STAND}) (?P<four>stands)\b|(?<=count the )(?P<five>{_STAND}) (?P<six>stands)\b",
        r"\b(?P<one>watering|trash|garbage|rubbish|tin|oil|spray|gas|beer|paint|litter|soda|coke|petrol|jerry|milk|aerosol) (?P<two>cans?)\b",
        r"\b(?P<one>chess|train|tea|tool|drum|dinner|cutlery|tv|television|swing|lego|fondue|knife|domino|pen|coffee|dining|patio|toilet|manicure|draughts|backgammon) (?P<two>sets?)\b",
        r"\b(?P<one>stuffed|polar|toy|plush|grizzly|brown) (?P<two>bears?)\b",
        r"\b(?P<one>first) (?P<two>aid)\b",
        rf"(?:{_ARTICLE}|(?<=\bmany ))(?P<one>changing|standing|hanging|leaning|walking|driving|stuffed|moving|meeting|viewing|resting|sitting|rolling|travelling|showing) (?!{_FUNCTION}\b)(?P<two>[a-z]+)",
        rf"(?:{_ARTICLE}|(?<=\bmany ))(?P<one>step|stop|exit|change|view|start|show|drive|walk|travel|rest|hold|search|move|lead|point) (?!{_FUNCTION}\b)(?P<two>[a-z]+)",
    )
)  # fmt: skip
COLLECTIONS = frozenset(
    "set suit coat pair bust statue bowl glass box vase basket bunch pile stack picture painting portrait photo "
    "photograph map model bag bottle can jar pack packet roll plate pot jug tray rack row chest sack crate bucket "
    "barrel carton tin tube deck chart bar block cup mug bouquet jigsaw".split()
)
"""What may go on with "of" and a name without article: "chest of drawers", "suit of armour"."""


def joined(text: str) -> str:
    """A question with such names in one word each.

    Args:
        text: Lower case.
    """
    for pattern in _JOINED:
        text = pattern.sub(_join, text)
    return text


def _join(found: re.Match[str]) -> str:
    return "_".join(word for word in found.groups() if word)


def loosened(name: str) -> str:
    """A name as it was said."""
    return name.replace("_", " ")
