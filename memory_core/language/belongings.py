"""Belongings: what people have at home, and in which rooms and furniture they keep it.

General knowledge of homes, written by hand, for a thing that was never seen: a lemon is food, and
food is in the kitchen. The text encoder generalises the examples; what is like none of them may be
anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from memory_core.language.lexicon import match, words_of
from memory_core.types import Encode, FloatArray


@dataclass(frozen=True, slots=True)
class Belongings:
    """One sort of belongings.

    Attributes:
        examples: Things of this sort.
        rooms: Kinds of rooms, as answers call them, in which they are kept, the likeliest first.
        furniture: What they are kept in or on.
    """

    examples: tuple[str, ...]
    rooms: tuple[str, ...]
    furniture: tuple[str, ...]


def _sort(examples: str, rooms: str, furniture: str) -> Belongings:
    return Belongings(
        tuple(examples.split(", ")), tuple(rooms.split(", ")), tuple(furniture.split(", "))
    )


BELONGINGS = (
    _sort("apple, banana, lemon, tomato, fruit, vegetables, egg, cheese, butter, yoghurt, meat",
          "kitchen, dining room",
          "refrigerator, kitchen counter, kitchen table, fruit bowl, pantry, dining table"),
    _sort("milk, juice, soda can, beer, wine bottle, water bottle, lemonade, soft drink",
          "kitchen, dining room",
          "refrigerator, kitchen counter, kitchen table, pantry, dining table"),
    _sort("bread, cereal, crackers, crisps, rice, pasta, flour, sugar, canned food, biscuits, chocolate, honey, jam, "
          "coffee, tea bags, spices, salt shaker, pepper, oil, vinegar, ketchup",
          "kitchen, dining room",
          "pantry, kitchen cabinet, kitchen counter, stove, kitchen table"),
    _sort("mug, cup, glass, plate, bowl, saucer, teapot, jug, dish, wine glass",
          "kitchen, dining room",
          "kitchen cabinet, dishwasher, china cabinet, sideboard, kitchen counter, dining table, kitchen table"),
    _sort("fork, spoon, table knife, spatula, whisk, ladle, can opener, peeler, corkscrew, chopsticks, rolling pin, "
          "grater, sieve, kitchen tongs, measuring cup, bottle opener, garlic press, kitchen scales",
          "kitchen, dining room",
          "kitchen drawer, kitchen counter, stove, dishwasher, kitchen cabinet, sideboard"),
    _sort("pot, frying pan, kettle, toaster, cutting board, colander, baking tin, lunch box",
          "kitchen", "stove, kitchen counter, kitchen cabinet, pantry"),
    _sort("dish soap, sponge, scrubbing brush, bleach, cleaning spray, dustpan, rubber gloves, bucket",
          "kitchen, laundry room, bathroom",
          "kitchen counter, sink, washing machine, storage shelf, washbasin"),
    _sort("laundry detergent, fabric softener, clothespin, iron, stain remover, clothes brush, lint roller",
          "laundry room, bathroom", "washing machine, dryer, ironing board, storage shelf, laundry basket"),
    _sort("toothbrush, toothpaste, soap, shampoo, razor, deodorant, cotton pads, mouthwash, lotion, "
          "toilet paper, toilet roll, sponge bag, rubber duck, bath toy, tissues",
          "bathroom", "washbasin, bathroom cabinet, bathtub, toilet, bathroom shelf"),
    _sort("towel, bathrobe, bath mat, flannel, washcloth", "bathroom, laundry room",
          "bathroom cabinet, bathtub, towel rack, laundry basket, dryer"),
    _sort("hairbrush, comb, perfume, lipstick, nail file, hair dryer, make-up, hand mirror, jewellery box",
          "bathroom, bedroom", "dressing table, washbasin, bathroom cabinet, chest of drawers"),
    _sort("pills, medicine, plaster, thermometer, bandage, first aid kit", "bathroom, bedroom, kitchen",
          "bathroom cabinet, nightstand"),
    _sort("pen, pencil, ruler, stapler, sticky tape, glue, scissors, calculator, paper clip, hole punch, "
          "envelope, folder, marker, stamp, notepad, notebook",
          "office, library", "desk, printer stand, filing cabinet, desk drawer, bookshelf"),
    _sort("laptop, tablet, phone, charger, headphones, camera, usb stick, keyboard, computer mouse, power bank",
          "office, living room, bedroom", "desk, nightstand, coffee table, tv stand, console table"),
    _sort("remote control, game controller, radio, dvd, video game, speaker, board game, deck of cards",
          "living room, children's room", "tv stand, coffee table, sofa, shelf"),
    _sort("book, novel, dictionary, magazine, newspaper, atlas, photo album, comic, diary, encyclopedia",
          "living room, library, office, bedroom",
          "bookshelf, reading table, coffee table, nightstand, desk"),
    _sort("cookbook, recipe book", "kitchen, living room, library", "kitchen counter, kitchen table, bookshelf"),
    _sort("toy car, doll, teddy bear, building block, puzzle, rubber ball, toy robot, crayons, stuffed animal",
          "children's room, living room", "toy shelf, toy chest, play table, single bed"),
    _sort("hammer, screwdriver, wrench, pliers, saw, drill, tape measure, nails, screws, paint can, "
          "paintbrush, flashlight, level, sandpaper, oil can",
          "workshop, storage", "workbench, tool cabinet, storage shelf, toolbox"),
    _sort("shoe, boot, slipper, sandal, sneaker, trainer, shoe polish, shoe brush, shoehorn",
          "hallway, entryway, bedroom, closet", "shoe cabinet, shoe rack, wardrobe, bench"),
    _sort("hat, scarf, gloves, umbrella, coat, handbag, backpack, cap",
          "hallway, entryway, bedroom, closet", "coat stand, console table, wardrobe, shoe cabinet"),
    _sort("shirt, trousers, socks, sweater, belt, tie, pyjamas, underwear",
          "bedroom, closet, laundry room", "wardrobe, chest of drawers, bed, laundry basket"),
    _sort("keys, wallet, watch, sunglasses, reading glasses, glasses case, purse, coins, letter, mail, key box",
          "hallway, entryway, bedroom, living room",
          "console table, nightstand, coffee table, shoe cabinet, desk"),
    _sort("alarm clock, book light, pillow, blanket, eye mask, hot-water bottle",
          "bedroom, guest room", "nightstand, bed, single bed, chest of drawers, wardrobe"),
    _sort("vase, candle, picture frame, figurine, candlestick, decorative bowl, potted flower",
          "living room, dining room, bedroom",
          "coffee table, sideboard, dining table, console table, bookshelf"),
    _sort("dumbbell, yoga mat, tennis ball, tennis racket, skipping rope, jersey, running shoes, protein shake",
          "gym", "bench, storage shelf, treadmill"),
    _sort("violin, flute, harmonica, metronome, sheet music, tuning fork, drumsticks, tambourine, music box",
          "music room, living room", "piano, music shelf, bookshelf"),
)  # fmt: skip
SAME_NAME = 0.9
"""A name that says an example, whatever the encoder thinks."""
LEAST_ALIKE, SHARPNESS, EXAMPLES = 0.3, 30.0, 2
"""A thing is as like a sort as it is like so many of its examples on average."""
ELSEWHERE = 0.15
"""Things are kept elsewhere than where they belong so often, against where they do."""
NEXT = 0.7
"""What the next room of a sort is worth against the one before it."""
ANYWHERE = 0.3
"""What a room of which nothing is known is worth, against one in which a thing belongs."""


def sorts_of(label: str, encode: Encode | None) -> FloatArray:
    """How likely a thing is of each sort; what is missing to 1 is that it is of none.

    Args:
        label: What it is called.
        encode: Sentences to unit vectors; None compares by spelling alone.

    Returns:
        Shape (s,), s the number of sorts; sums to 1 or less.
    """
    alike = _named(label, "examples")
    if encode is not None and not alike.any():
        vector = encode([label])[0]
        alike = np.array([
            np.sort(encode(sort.examples) @ vector)[-EXAMPLES:].mean() for sort in BELONGINGS
        ])  # fmt: skip
    weights = np.where(alike >= LEAST_ALIKE, np.exp(SHARPNESS * alike), 0.0)
    return np.asarray(weights / (weights.sum() + np.exp(SHARPNESS * LEAST_ALIKE)))


def kept_in(sorts: FloatArray, rooms: Sequence[str]) -> FloatArray:
    """How well kinds of rooms fit a thing.

    Args:
        sorts: Of the thing, shape (s,), from `sorts_of`.
        rooms: n kinds of rooms; "" where nothing is known.

    Returns:
        Log-odds up to a constant, shape (n,).
    """
    shares = {
        room: sum(
            share * NEXT ** sort.rooms.index(room)
            for share, sort in zip(sorts.tolist(), BELONGINGS, strict=True)
            if room in sort.rooms
        )
        for room in set(rooms)
    }
    shares[""] = ANYWHERE * float(sorts.sum())
    return np.log(ELSEWHERE + np.array([shares[room] for room in rooms]))


def kept_on(sorts: FloatArray, furniture: Sequence[str]) -> FloatArray:
    """How well furniture fits a thing.

    Args:
        sorts: Of the thing, shape (s,), from `sorts_of`.
        furniture: n labels.

    Returns:
        Log-odds up to a constant, shape (n,).
    """
    shares = {label: float(_named(label, "furniture") @ sorts) for label in set(furniture)}
    return np.log(ELSEWHERE + np.array([shares[label] for label in furniture]))


@cache
def _words(part: Literal["examples", "furniture"]) -> list[list[list[str]]]:
    """The words of the names of every sort: what a search compares each label with."""
    return [[words_of(name) for name in getattr(sort, part)] for sort in BELONGINGS]


def _named(label: str, part: Literal["examples", "furniture"]) -> FloatArray:
    """Of which sorts a label says one of the names, as 1 or nearly, else 0, shape (s,)."""
    words = words_of(label)
    alike = np.array([max(match(words, name) for name in names) for names in _words(part)])
    return np.where(alike >= SAME_NAME, alike, 0.0)
