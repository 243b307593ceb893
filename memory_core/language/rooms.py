"""Kinds of rooms: what people call them, and what one expects in them.

General knowledge of dwellings and offices, written by hand. `names` are words a person may use
for the kind, `things` what is typical there; the text encoder generalises both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memory_core.language.lexicon import lemma, words_of


@dataclass(frozen=True, slots=True)
class RoomKind:
    """One kind of room.

    Attributes:
        name: How answers call it.
        names: Single words people use for it (compounds joined).
        things: What is commonly there.
        prior: Log-odds against an ordinary room, before anything is seen.
    """

    name: str
    names: tuple[str, ...]
    things: tuple[str, ...]
    prior: float = 0.0


def _kind(name: str, names: str, things: str, prior: float = 0.0) -> RoomKind:
    return RoomKind(name, tuple(names.split()), tuple(things.split(", ")), prior)


ROOM_KINDS = (
    _kind(
        "bathroom",
        "bathroom restroom washroom toilet bath lavatory",
        "toilet, sink, bathtub, shower, shower curtain, shower wall, shower head, shower door, "
        "towel, towel rack, toilet paper, bath cabinet, toiletry, soap dispenser, bath mat, "
        "scale, tissue box, washbasin, bidet, toilet brush, toothbrush, mirror",
    ),
    _kind(
        "bedroom",
        "bedroom guestroom nursery childroom",
        "bed, nightstand, headboard, dresser, pillow, bedside table, wardrobe, alarm clock, "
        "blanket, chest of drawers, bedding, bench at foot of bed, crib, comforter, lamp",
    ),
    _kind(
        "closet",
        "closet wardrobe dressingroom",
        "clothes, clothes rail, shoes, hanger, clothes hangers, shelves, hat, purse, bag, "
        "suitcase, laundry basket",
    ),
    _kind(
        "kitchen",
        "kitchen kitchenette",
        "oven, stove, refrigerator, dishwasher, kitchen cabinet, kitchen counter, microwave, "
        "kitchen island, range hood, kettle, kitchen appliance, knife block, coffee maker, "
        "cutting board, toaster, sink, faucet, bar stool, fruit bowl, countertop, plate of food, "
        "blender, teapot, cup",
    ),
    _kind(
        "dining room",
        "diningroom dining breakfastroom breakfast",
        "dining table, dining chair, chandelier, dining table centerpiece, buffet, china cabinet, "
        "placemat, plate, wine glass, table setting, candle holder, sideboard, potted plant",
    ),
    _kind(
        "living room",
        "livingroom",
        "couch, sofa, armchair, coffee table, fireplace, piano, side table, pillow, sofa chair, "
        "rug, tv, ottoman, curtain, lamp, sideboard, potted plant",
    ),
    _kind(
        "family room",
        "familyroom denroom den tvroom",
        "couch, sofa, tv, armchair, coffee table, fireplace, ottoman, pillow, bookshelf, "
        "side table, speaker, books, tv stand",
    ),
    _kind(
        "lounge",
        "lounge sittingarea",
        "couch, sofa, armchair, coffee table, fireplace, side table, bar, sofa chair, pillow, "
        "chair, ottoman, curtain",
    ),
    _kind(
        "office",
        "office study library",
        "desk, desk chair, office chair, swivel chair, computer, monitor, keyboard, printer, "
        "bookshelf, books, filing cabinet, telephone, laptop, whiteboard, bulletin board",
    ),
    _kind(
        "laundry room",
        "laundryroom utilityroom laundry utility",
        "washing machine, dryer, clothes dryer, washer-dryer, laundry basket, ironing board, "
        "detergent, sink, water heater, fuse box, cabinet, pipe, boiler",
    ),
    _kind(
        "hallway",
        "hallway corridor hall landing passage passageway",
        "stair railing, console table, picture, doorway, light switch, thermostat, exit sign, "
        "stairs, wall lamp, smoke alarm, coat stand, shoe cabinet",
    ),
    _kind(
        "entryway",
        "entryway foyer lobby entrance vestibule",
        "front door, coat rack, doormat, umbrella stand, shoe rack, console table, coat hook, "
        "chandelier, door window, bench, coat stand, shoe cabinet",
    ),
    _kind(
        "staircase",
        "stair",
        "stairs, step, stair railing, banister, handrail, stair post, bottom of stairs",
    ),
    _kind(
        "outdoor area",
        "porch patio terrace deck balcony outside yard veranda garden backyard courtyard outdoor "
        "pool",
        "grill, outdoor chair, patio table, potted plant, grass, deck chair, railing, umbrella, "
        "roof, tree, bush, column, bench, lounge chair, hot tub, barbecue",
        -0.7,
    ),
    _kind(
        "gym",
        "gym workout exercise",
        "exercise machine, treadmill, weight machine, dumbbell, exercise bike, yoga mat, "
        "exercise ball, gym equipment, punching bag, elliptical",
    ),
    _kind(
        "game room",
        "gameroom rec recreation playroom",
        "pool table, billiard table, foosball table, arcade machine, ping pong table, dart board, "
        "toys, poker table, game table, bar",
        -0.5,
    ),
    _kind(
        "storage",
        "garage basement storage attic shed cellar",
        "car, tool, ladder, bicycle, garage door, workbench, storage box, shelving, water heater, "
        "paint cans, wine rack",
        -1.0,
    ),
    _kind(
        "workshop",
        "workshop",
        "workbench, tool cabinet, tool chest, toolbox, vise, power drill, saw, hammer, pegboard, "
        "pliers, wrench, screwdriver, tape measure, paintbrush, paint can, flashlight",
        -0.5,
    ),
    _kind(
        "bar",
        "bar",
        "bar counter, bar stool, wine bottle, bottle, liquor, wine rack, beer tap",
        -1.0,
    ),
    _kind(
        "meeting room",
        "meetingroom classroom conference",
        "conference table, projector, projector screen, whiteboard, office chair, podium",
        -1.0,
    ),
    _kind(
        "theater",
        "theater theatre cinema",
        "projector, projector screen, theater seat, recliner, speaker",
        -1.0,
    ),
    _kind("spa", "spa sauna", "sauna, hot tub, massage table, towel, jacuzzi", -1.5),
)
NAMES = tuple(kind.name for kind in ROOM_KINDS)
KIND_OF_WORD = {lemma(word): i for i, kind in enumerate(ROOM_KINDS) for word in kind.names}

NOT_ALONE = frozenset(
    (
        "toilet bath wardrobe bar entrance stair dining breakfast pool laundry "
        "utility exercise workout outside door"
    ).split()
)
"""Words that name a room only before "room" or "area"; alone they name a thing."""

TELLING = frozenset(
    (
        "toilet bathtub shower bed headboard crib clothes stove fridge dishwasher "
        "microwave desk washer dryer treadmill workbench"
    ).split()
)
"""Heads of labels that all but settle the kind of a room."""

TELLING_PAIRS = frozenset({"dining table", "pool table"})


def room_named(words: list[str]) -> int | None:
    """The kind of room a phrase names by its head; None where it names none.

    Args:
        words: Lemmas of the phrase.

    Returns:
        Index into `ROOM_KINDS`.
    """
    if not words:
        return None
    head = words[-1]
    if head in ("hall", "garden") and len(words) > 1 and words[-2] in _HOUSES:
        return None
    if head in KIND_OF_WORD and head not in NOT_ALONE:
        return KIND_OF_WORD[head]
    if head in ("room", "area", "space") and len(words) > 1:
        return KIND_OF_WORD.get(words[-2])
    return None


NARROWER = {
    "nursery": "crib, cradle, cot, changing table, baby bed, toy",
    "guestroom": "single bed, guest bed, sofa bed, bed",
    "childroom": "toy shelf, toy chest, toy box, play table, toy, toys, crib, bunk bed",
    "library": "bookshelf, bookcase, books, book shelves; 2",
    "garage": "car, garage door, workbench",
    "basement": "water heater, boiler, furnace",
    "cellar": "wine rack, water heater, boiler",
    "attic": "roof window, rafter",
    "shed": "lawn mower, tool",
    "toilet": "toilet",
    "restroom": "toilet",
    "lavatory": "toilet",
    "sauna": "sauna, sauna bench",
    "pool": "pool, swimming pool",
    "balcony": "railing, balcony",
    "playroom": "toy, toys, pool table, foosball table",
    "cinema": "projector, projector screen, theater seat",
    "classroom": "whiteboard, blackboard",
    "porch": "porch",
    "music": "piano, grand piano, violin, cello, harp, drum kit, guitar, organ, music stand",
    "sun": "sunbed, lounge chair, deck chair",
    "powder": "toilet",
    "billiard": "pool table, billiard table",
    "mud": "shoe rack, boot, boots, coat hook, coat rack",
}
"""Names that mean less than their kind of room, and what has to be there to call it so.

Behind a semicolon stands how many, where one is not enough: an office with a bookshelf is no
library.
"""

_UNFURNISHED = frozenset(
    (
        "chapel church conservatory ballroom greenhouse loft pantry larder vestry winter solarium "
        "orangery studio atrium ward cloakroom wardrobe darkroom dungeon crypt vault armoury "
        "observatory aviary stable barn boathouse cafeteria canteen bakery shop reception laboratory lab "
        "penthouse mezzanine gallery courtroom bunker scullery boudoir parlor parlour stateroom "
        "tower turret belfry catacomb hangar warehouse depot silo shack hut gazebo pavilion cabin galley dormitory dorm "
        "bedchamber nook antechamber infirmary surgery clinic pharmacy morgue kindergarten dojo casino disco nightclub pub "
        "restaurant cafe bistro saloon smithy forge mill brewery planetarium museum archive shelter bathhouse outhouse "
        "cowshed henhouse kennel annex annexe loggia rooftop cockpit cubicle snug sanctuary sacristy shrine temple mosque "
        "synagogue cloister carport hayloft supermarket bowling-alley buttery"
    ).split()
)
"""Rooms of which no kind is known here: a house without one can say so."""

_HOUSES = frozenset(
    "guest summer pool coach tea garden gate concert banquet great dance sport assembly lecture market exhibition "
    "bowling winter roof rose kitchen".split()
)
"""What a house, a hall or a garden is for, where it is one of the rooms."""
_NO_ROOMS = frozenset({"mushroom", "broom", "groom", "bridegroom", "vroom"})


def room_word(words: list[str]) -> bool:
    """Whether a phrase names a room, of a known kind or not.

    Args:
        words: Lemmas of the phrase.
    """
    if not words or (words[-1] in ("room", "area", "space") and len(words) == 1):
        return False
    if room_named(words) is not None:
        return True
    head = words[-1]
    if head in _UNFURNISHED - {"wardrobe"} or head == "room":
        return True
    if head in ("house", "hall", "alley", "garden") and len(words) > 1:
        return words[-2] in _HOUSES
    return head.endswith("room") and head not in _NO_ROOMS


def narrow_name(words: list[str]) -> tuple[str, ...] | None:
    """What must be there for a room to bear a name that is narrower than its kind.

    Args:
        words: Words of the name.

    Returns:
        Labels of which one is needed; None where the name is as wide as its kind.
    """
    needed = _needed(words)
    return None if needed is None else needed[0]


def bears(words: list[str], labels: Sequence[str]) -> bool | None:
    """Whether a room with these things may bear a name that is narrower than its kind.

    Args:
        words: Words of the name.
        labels: Of the room's things, one each.

    Returns:
        None where the name is as wide as its kind.
    """
    needed = _needed(words)
    if needed is None:
        return None
    wanted = {" ".join(words_of(label)) for label in needed[0]}
    return sum(" ".join(words_of(label)) in wanted for label in labels) >= needed[1]


def _needed(words: list[str]) -> tuple[tuple[str, ...], int] | None:
    """Labels, and how many things of them, that a narrower name asks for."""
    heads = [word for word in words if word not in ("room", "area", "space")]
    joined = words_of(" ".join(words))
    if not heads or not joined:
        return None
    typical = (
        NARROWER.get(heads[-1])
        or NARROWER.get(heads[-1].removesuffix("room"))
        or NARROWER.get(joined[-1])
    )
    if typical is None:
        return None
    labels, _, least = typical.partition("; ")
    return tuple(labels.split(", ")), int(least or 1)
