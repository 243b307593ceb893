"""The steps a plan is made of: a closed, typed set of things a robot can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from memory_core.types import Json, Pose, Vector3


@dataclass(frozen=True, slots=True)
class GoTo:
    """Drive to a pose of the base, `map`."""

    pose: Pose
    name: str = ""


@dataclass(frozen=True, slots=True)
class Approach:
    """Drive to where something at a point can be looked at, or reached with the hand."""

    target: Vector3
    name: str
    reach: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Look at a point of the map for a thing; "" looks for anything."""

    target: Vector3
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Look over a region for a thing, opening what is shut."""

    region: str
    centre: Vector3
    thing: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open the drawer or door whose handle is at a point of the map."""

    name: str
    at: Vector3


@dataclass(frozen=True, slots=True)
class Close:
    """Close the drawer or door whose handle is at a point of the map."""

    name: str
    at: Vector3


@dataclass(frozen=True, slots=True)
class Pick:
    """Take a thing that is in view at a point of the map."""

    thing: str
    at: Vector3


@dataclass(frozen=True, slots=True)
class Place:
    """Put down what is held at a point of the map."""

    thing: str
    at: Vector3
    name: str


@dataclass(frozen=True, slots=True)
class Give:
    """Hold out what is held until somebody takes it."""

    thing: str


@dataclass(frozen=True, slots=True)
class Push:
    """Push a thing at a point of the map away from the robot."""

    thing: str
    at: Vector3


@dataclass(frozen=True, slots=True)
class Press:
    """Press a button at a point of the map."""

    thing: str
    at: Vector3


@dataclass(frozen=True, slots=True)
class Wait:
    """Stand still for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Say:
    """Say something to the people around."""

    text: str


Skill = (
    GoTo | Approach | Look | Search | Open | Close | Pick | Place | Give | Push | Press | Wait | Say
)


def told(skill: Skill) -> str:
    """A step in words, without its numbers."""
    match skill:
        case GoTo(name=name):
            return f"go to {name or 'a pose'}"
        case Approach(name=name, reach=reach):
            return f"drive {'within reach of' if reach else 'to see'} the {name}"
        case Look(thing=thing):
            return f"look for the {thing}" if thing else "look around"
        case Search(region=region, thing=thing):
            return f"search the {region} for the {thing}"
        case Open(name=name):
            return f"open the {name}"
        case Close(name=name):
            return f"close the {name}"
        case Pick(thing=thing):
            return f"take the {thing}"
        case Place(thing=thing, name=name):
            return f"put the {thing} on the {name}"
        case Give(thing=thing):
            return f"hand over the {thing}"
        case Push(thing=thing):
            return f"push the {thing}"
        case Press(thing=thing):
            return f"press the {thing}"
        case Wait(seconds=seconds):
            return f"wait {seconds:g} s"
        case Say(text=text):
            return f"say {text!r}"


def to_json(skill: Skill) -> Json:
    """A step as JSON: its kind and its parameters."""
    return {"skill": type(skill).__name__.lower(), **asdict(skill)}
