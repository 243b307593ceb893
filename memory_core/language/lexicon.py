"""Words: lemmas, names written in two words, synonyms, and how well a phrase names a label.

Small tables of everyday English for indoor things. They say which words people use for the same
thing; what only resembles it is left to the text encoder.
"""

from __future__ import annotations

import re

_SYNONYMS = {
    "picture": "painting portrait photo photograph artwork art poster print frame",
    "couch": "sofa loveseat settee",
    "tv": "television telly",
    "trashcan": "wastebasket garbage trash bin dustbin wastebin",
    "curtain": "drape drapery",
    "rug": "carpet",
    "faucet": "tap",
    "sink": "washbasin basin",
    "plant": "fern houseplant",
    "stair": "staircase stairway step stairs",
    "fridge": "refrigerator",
    "shelf": "shelving bookshelf bookcase",
    "pillow": "cushion",
    "cabinet": "cupboard",
    "lamp": "lampshade",
    "light": "lighting",
    "railing": "rail banister bannister handrail",
    "decoration": "ornament decor figurine knickknack",
    "flower": "bouquet",
    "clothes": "clothing clothe garment",
    "shoe": "sneaker boot",
    "countertop": "counter worktop",
    "mat": "bathmat",
    "sculpture": "statue bust",
    "heater": "radiator",
    "dresser": "bureau",
    "window": "windowpane",
    "door": "doorway",
    "stove": "oven cooktop range",
    "pot": "planter",
    "hanger": "coathanger",
    "cup": "mug",
    "laptop": "notebook",
    "phone": "telephone cellphone smartphone",
    "bicycle": "bike",
    "person": "human man woman people",
}
_CANONICAL = {word: head for head, words in _SYNONYMS.items() for word in words.split()}

_JOINED = dict(
    pair.split(">")
    for pair in (
        "light switch>lightswitch|trash can>trashcan|trash bin>trashcan|"
        "waste basket>trashcan|waste bin>trashcan|garbage can>trashcan|"
        "rubbish bin>trashcan|counter top>countertop|night stand>nightstand|"
        "night table>nightstand|bedside table>nightstand|end table>side table|"
        "arm chair>armchair|wash basin>sink|foot stool>ottoman|footstool>ottoman|"
        "footrest>ottoman|foot rest>ottoman|fire place>fireplace|bath tub>bathtub|"
        "tub>bathtub|washing machine>washer|clothes washer>washer|clothes dryer>dryer|"
        "book shelf>shelf|coat hanger>hanger|head board>headboard|book case>shelf|"
        "t v>tv|stair case>stair|hall way>hallway|living room>livingroom|"
        "dining room>diningroom|family room>familyroom|laundry room>laundryroom|"
        "utility room>utilityroom|game room>gameroom|tv room>tvroom|"
        "television room>tvroom|media room>tvroom|bath room>bathroom|bed room>bedroom|"
        "rec room>gameroom|recreation room>gameroom|billiard room>gameroom|"
        "pool room>gameroom|exercise room>gym|workout room>gym|weight room>gym|"
        "fitness room>gym|sitting room>lounge|powder room>bathroom|rest room>bathroom|"
        "entry way>entryway|entrance hall>entryway|work room>office|"
        "meeting room>meetingroom|conference room>meetingroom|play room>gameroom|"
        "music room>livingroom|storage room>storage|sun room>lounge|"
        "wine cellar>storage|walk in closet>closet|home theater>tvroom|"
        "mud room>entryway|guest room>guestroom|spare room>guestroom|child room>childroom|"
        "kid room>childroom|children room>childroom|childrens room>childroom|kids room>childroom|baby room>childroom|"
        "games room>gameroom|wash room>washroom|work shop>workshop|chest of drawer>dresser"
    ).split("|")
)
_INVARIABLE = frozenset(
    (
        "glass grass stairs clothes dress mattress wainscots chess bus gas canvas iris "
        "moss cross brass address press compass tennis across keys scissors glasses "
        "trousers pants"
    ).split()
)
_IRREGULAR = {"tvs": "tv", "pcs": "pc", "cds": "cd", "shelves": "shelf", "knives": "knife", "people": "person", "men": "man",
              "women": "woman", "children": "child", "mice": "mouse", "leaves": "leaf"}  # fmt: skip
_COMPOUND = re.compile("(?<= )(" + "|".join(sorted(_JOINED, key=len, reverse=True)) + ")s?(?= )")

_SAME_KIND = {
    "sofa": "couch", "television": "tv", "telly": "tv", "refrigerator": "fridge",
    "cupboard": "cabinet", "carpet": "rug", "drape": "curtain", "cushion": "pillow",
    "tap": "faucet", "bike": "bicycle", "person": "person", "human": "person",
}  # fmt: skip
ATTRIBUTES = frozenset(
    (
        "red green blue yellow orange purple pink brown black white grey gray beige "
        "silver gold cyan magenta violet turquoise teal navy maroon crimson scarlet indigo "
        "ivory bronze khaki big large small little tiny tall short long "
        "old new wooden wood metal steel glass plastic leather ceramic paper round "
        "square rectangular oval dark light bright empty open closed"
    ).split()
)
"""Words that qualify a thing without making it another kind of thing."""

NUMBERS = {
    word: value
    for value, words in {
        1: "one first 1st 1",
        2: "two second 2nd 2",
        3: "three third 3rd 3",
        4: "four fourth 4th 4",
        5: "five fifth 5th 5",
    }.items()
    for word in words.split()
}


def singular(word: str) -> str:
    """A noun without its plural ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("shelves", "knives", "wolves", "halves")):
        return word[:-3] + ("fe" if word.endswith("knives") else "f")
    if word in _INVARIABLE or len(word) <= 3:
        return word
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if re.search("(ss|sh|ch|x)es$", word):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def lemma(word: str) -> str:
    """The singular, as the head of its group of synonyms."""
    if word in _CANONICAL:
        return _CANONICAL[word]
    word = singular(word)
    return _CANONICAL.get(word, word)


def join_compounds(text: str) -> str:
    """Names people write in two words, as one ("living room" → "livingroom").

    Args:
        text: Lower-case words with single spaces between and around them.
    """
    return _COMPOUND.sub(lambda found: _JOINED[found[1]], text)


def words_of(text: str) -> list[str]:
    """Lemmas of a text, in order, compounds joined."""
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower().replace("'s", ""))
    return [lemma(word) for word in join_compounds(f" {plain.strip()} ").split()]


def kind_words(text: str) -> list[str]:
    """Words of a name as its kind: singular, compounds joined, only true synonyms merged."""
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower().replace("'s", ""))
    words = map(singular, join_compounds(f" {plain.strip()} ").split())
    return [_SAME_KIND.get(word, word) for word in words]


def same_kind(phrase: str, label: str) -> bool:
    """Whether a label names the kind of thing a phrase asks for.

    "sofa" asks for a couch, "lamp" for a table lamp too, "red mug" for a mug (whose colour the
    label may not tell); "kitchen cabinet" does not ask for a cabinet, nor "office chair" for an
    armchair.

    Args:
        phrase: What was asked for.
        label: What was seen.
    """
    asked, seen = kind_words(phrase), kind_words(label)
    if not asked or not seen or asked[-1] != seen[-1]:
        return False
    more = set(asked) - set(seen)
    contradicts = more & ATTRIBUTES and set(seen) & ATTRIBUTES - set(asked)
    return more <= ATTRIBUTES and not contradicts


def match(phrase: list[str], label: list[str]) -> float:
    """How well a phrase names a label, by their lemmas.

    Args:
        phrase: What was said.
        label: What was seen.

    Returns:
        1 for the same words, 0.95 where the phrase adds to the label ("white wooden door" for
        door), 0.8 where only the heads agree, 0.55 where the label is a part of the phrase,
        else 0.4 times the share of common words.
    """
    if not phrase or not label:
        return 0.0
    said, seen = set(phrase), set(label)
    if said == seen:
        return 1.0
    if phrase[-1] == label[-1]:
        return 0.95 if seen <= said else 0.8
    if seen <= said:
        return 0.55
    return 0.4 * len(said & seen) / len(said | seen)
