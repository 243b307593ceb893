"""Kinds of small things a gripper can take: shapes, sizes, colours, and where they belong.

Every thing stands on z = 0 in its own frame and has a side of at most 7 cm (`GRASP_M`) along x, the
side that fingers close on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from memory_core.types import Vector3
from memory_sim.worlds.home.shapes import SHAPES
from memory_sim.worlds.home.solids import COLOURS, Solid, bounds

GRASP_M = 0.07


@dataclass(frozen=True, slots=True)
class ThingKind:
    """A kind of small thing.

    Attributes:
        name: What it is called.
        shape: Its family, a key of `SHAPES`.
        size: Along x, y and z, metres, of the middle-sized variant.
        colours: Names it comes in; one name where the colour is the kind's own.
        home: Group of `HOMES`: where it belongs.
    """

    name: str
    shape: str
    size: Vector3
    colours: tuple[str, ...]
    home: str


@cache
def thing_solids(name: str, colour: str, scale: float) -> tuple[Solid, ...]:
    """What a thing is made of, standing on z = 0.

    Args:
        name: A key of `THINGS`.
        colour: A key of `COLOURS`.
        scale: 1 for the middle size.
    """
    kind = THINGS[name]
    x, y, z = (side * scale for side in kind.size)
    return SHAPES[kind.shape]((min(x, GRASP_M), y, z), COLOURS[colour])


@cache
def thing_size(name: str, colour: str, scale: float) -> Vector3:
    """Sides of the box around a thing, metres."""
    low, high = bounds(thing_solids(name, colour, scale))
    x, y, z = (high - low).tolist()
    return x, y, z


def _table(text: str) -> dict[str, ThingKind]:
    """Lines `name | shape | x y z in centimetres | colours | group`."""
    kinds = {}
    for line in text.strip().splitlines():
        name, shape, size, colours, home = (part.strip() for part in line.split("|"))
        x, y, z = (float(side) / 100 for side in size.split())
        kinds[name] = ThingKind(name, shape, (x, y, z), tuple(colours.split()), home)
    return kinds


THINGS: dict[str, ThingKind] = _table(
    """
    mug               | cup     | 7 10 11     | red blue green yellow white black | dishes
    coffee cup        | cup     | 6 8.5 7.5   | white turquoise orange pink       | dishes
    glass             | tumbler | 6 6 13      | turquoise purple white            | dishes
    travel cup        | tumbler | 7 7 19      | black red blue green              | dishes
    pepper mill       | candle  | 6 6 20      | brown black                       | cooking
    rolling pin       | pin     | 5.5 30 5.5  | brown                             | cooking
    spatula           | spatula | 6 27 3      | black red green                   | cooking
    sponge            | block   | 6.5 11 4    | yellow green blue                 | cooking
    dish soap         | pump    | 6 6 20      | green orange                      | cooking
    olive oil         | bottle  | 6 6 26      | green                             | food
    ketchup           | bottle  | 6 6 19      | red                               | food
    mustard           | bottle  | 5.5 5.5 17  | yellow                            | food
    water bottle      | bottle  | 7 7 24      | blue pink green                   | drinks
    wine bottle       | bottle  | 7 7 29      | purple green                      | drinks
    soda can          | can     | 6.5 6.5 12  | red blue orange                   | drinks
    juice carton      | carton  | 7 8 21      | orange purple yellow              | drinks
    milk carton       | carton  | 7 7 20      | white                             | drinks
    soup can          | can     | 7 7 10      | red brown                         | food
    jam jar           | jar     | 6.5 6.5 9   | red purple orange                 | food
    honey jar         | jar     | 7 7 12      | yellow                            | food
    cereal box        | carton  | 6.5 18 26   | yellow red blue                   | food
    cracker box       | carton  | 6 15 20     | red turquoise                     | food
    tea box           | carton  | 6.5 12 8    | green yellow pink                 | food
    coffee tin        | can     | 7 7 15      | brown black                       | food
    apple             | fruit   | 7 7 8       | red green                         | fruit
    orange            | ball    | 7 7 7       | orange                            | fruit
    lemon             | pear    | 5.5 5.5 7.5 | yellow                            | fruit
    pear              | pear    | 6.5 6.5 10  | green                             | fruit
    tomato            | fruit   | 6 6 6.6     | red                               | fruit
    banana            | banana  | 5 18 4.5    | yellow                            | fruit
    remote control    | bar     | 5 18 3      | black white                       | television
    game controller   | bar     | 7 14 5      | black white red                   | television
    candle            | candle  | 7 7 16      | red white blue pink               | decoration
    vase              | vase    | 7 7 18      | turquoise white orange            | decoration
    photo album       | book    | 5 20 24     | purple brown                      | reading
    book              | book    | 4 14 21     | red blue green yellow black       | reading
    dictionary        | book    | 6.5 16 23   | blue brown                        | reading
    notebook          | book    | 3 14 20     | orange pink turquoise             | writing
    cookbook          | book    | 4.5 19 25   | green orange                      | cooking
    diary             | book    | 3.5 11 16   | purple pink                       | night
    alarm clock       | clock   | 6 11 11     | red white blue                    | night
    radio             | radio   | 7 20 14     | red turquoise brown               | night
    tissue box        | carton  | 7 14 9      | blue pink green                   | night
    phone             | device  | 3.5 7.5 14  | black white                       | night
    glasses case      | block   | 6 16 4.5    | brown black red                   | night
    perfume           | pump    | 5 5 12      | pink purple                       | dressing
    hairbrush         | brush   | 6.5 22 5    | pink black purple                 | dressing
    jewellery box     | carton  | 7 13 8      | pink brown                        | dressing
    rolled towel      | roll    | 7 7 24      | white blue green                  | washing
    shampoo           | bottle  | 6.5 6.5 20  | turquoise orange purple           | washing
    soap dispenser    | pump    | 7 7 17      | white pink turquoise              | washing
    toothbrush holder | tumbler | 6.5 6.5 10  | white green blue                  | washing
    toothpaste        | bar     | 5 17 4      | blue red                          | washing
    toilet roll       | roll    | 7 7 10      | white                             | washing
    rubber duck       | duck    | 6.5 9 9     | yellow                            | washing
    detergent         | bottle  | 7 7 25      | blue orange                       | laundry
    spray bottle      | pump    | 7 7 23      | blue green                        | laundry
    clothes brush     | brush   | 6 18 6      | brown                             | laundry
    stapler           | bar     | 5 15 6      | red black blue                    | writing
    calculator        | device  | 4 9 15      | black white                       | writing
    tape              | roll    | 7 7 5       | yellow brown                      | writing
    pen holder        | tumbler | 7 7 11      | black red turquoise               | writing
    glue              | bottle  | 4.5 4.5 13  | white yellow                      | writing
    camera            | device  | 7 12 9      | black                             | writing
    headphone case    | block   | 7 15 7      | black turquoise                   | television
    teddy bear        | bear    | 7 12 19     | brown white pink                  | toys
    toy car           | car     | 6.5 14 7    | red blue yellow green             | toys
    toy robot         | figure  | 6.5 11 18   | blue purple turquoise             | toys
    puzzle cube       | cube    | 6.5 6.5 6.5 | red blue                          | toys
    building block    | block   | 6 12 6      | green yellow orange               | toys
    tennis ball       | ball    | 6.7 6.7 6.7 | yellow                            | sport
    rubber ball       | ball    | 7 7 7       | red blue purple                   | toys
    hammer            | hammer  | 7 28 4      | brown red                         | tools
    screwdriver       | bar     | 4 22 4      | red yellow blue                   | tools
    wrench            | hammer  | 6 22 3      | grey                              | tools
    flashlight        | torch   | 6 6 19      | black yellow red                  | tools
    paint can         | can     | 7 7 11      | blue green white                  | tools
    paintbrush        | brush   | 6 24 3.5    | orange brown                      | tools
    tape measure      | block   | 6.5 7.5 7   | yellow orange                     | tools
    dumbbell          | dumbbell| 7 19 7      | grey purple                       | sport
    slipper           | shoe    | 7 22 8      | grey pink blue                    | shoes
    trainer           | shoe    | 7 23 10     | white red black                   | shoes
    shoe polish       | can     | 7 7 5       | black brown                       | shoes
    wallet            | block   | 4 11 8.5    | brown black                       | keys
    key box           | carton  | 6.5 10 9    | grey red                          | keys
    umbrella          | pin     | 6.5 27 6.5  | black red purple                  | keys
    metronome         | tower   | 7 10 19     | brown                             | music
    music box         | carton  | 7 11 9      | purple green                      | music
    harmonica         | carton  | 4 13 3.5    | grey                              | music
    """
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a group of kinds belongs: weights of rooms, and the furniture preferred there."""

    rooms: Mapping[str, float]
    furniture: tuple[str, ...]


HOMES: dict[str, Home] = {
    "dishes": Home({"kitchen": 6, "dining room": 3, "living room": 2, "office": 1, "bedroom": 0.5},
                   ("kitchen counter", "kitchen table", "china cabinet", "sideboard", "coffee table", "desk")),
    "cooking": Home({"kitchen": 9, "dining room": 0.5},
                    ("kitchen counter", "stove", "kitchen table", "pantry")),
    "food": Home({"kitchen": 9, "dining room": 1.5},
                 ("pantry", "kitchen counter", "refrigerator", "kitchen table", "sideboard")),
    "drinks": Home({"kitchen": 5, "dining room": 2, "living room": 1, "gym": 1},
                   ("refrigerator", "kitchen counter", "dining table", "sideboard", "coffee table", "bench")),
    "fruit": Home({"kitchen": 5, "dining room": 3, "living room": 1},
                  ("kitchen counter", "kitchen table", "dining table", "refrigerator", "coffee table")),
    "television": Home({"living room": 8, "children's room": 1, "bedroom": 1},
                       ("tv stand", "coffee table", "sofa", "armchair", "nightstand")),
    "decoration": Home({"living room": 4, "dining room": 4, "bedroom": 1, "hallway": 1, "music room": 1},
                       ("sideboard", "tv stand", "coffee table", "dining table", "console table", "music shelf")),
    "reading": Home({"library": 5, "living room": 3, "office": 3, "bedroom": 1, "guest room": 1},
                    ("bookshelf", "reading table", "coffee table", "desk", "nightstand")),
    "writing": Home({"office": 8, "library": 2, "children's room": 1},
                    ("desk", "filing cabinet", "printer stand", "reading table", "bookshelf")),
    "night": Home({"bedroom": 5, "guest room": 3, "living room": 0.5},
                  ("nightstand", "chest of drawers", "dressing table", "coffee table")),
    "dressing": Home({"bedroom": 5, "bathroom": 2, "guest room": 1},
                     ("dressing table", "chest of drawers", "wardrobe", "washbasin", "bathroom cabinet")),
    "washing": Home({"bathroom": 9, "laundry room": 1, "guest room": 0.5},
                    ("washbasin", "bathroom cabinet")),
    "laundry": Home({"laundry room": 8, "bathroom": 2},
                    ("washing machine", "dryer", "storage shelf", "ironing board", "bathroom cabinet")),
    "toys": Home({"children's room": 8, "living room": 1.5},
                 ("toy shelf", "toy chest", "play table", "chest of drawers", "coffee table")),
    "sport": Home({"gym": 8, "children's room": 1, "hallway": 0.5},
                  ("bench", "storage shelf", "toy shelf", "console table")),
    "tools": Home({"workshop": 8, "laundry room": 1.5, "hallway": 0.5, "kitchen": 0.5},
                  ("workbench", "tool cabinet", "storage shelf", "kitchen counter", "shoe cabinet")),
    "shoes": Home({"hallway": 5, "bedroom": 2, "guest room": 1, "gym": 1},
                  ("shoe cabinet", "wardrobe", "bench", "chest of drawers")),
    "keys": Home({"hallway": 6, "living room": 1, "office": 1, "kitchen": 1},
                 ("console table", "shoe cabinet", "desk", "kitchen counter", "sideboard")),
    "music": Home({"music room": 8, "living room": 1.5, "library": 1},
                  ("music shelf", "sideboard", "bookshelf", "reading table")),
}  # fmt: skip
"""What common sense says of where things are kept."""
