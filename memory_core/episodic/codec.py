"""Dataclasses to JSON and back, by their annotations; arrays are lists, bytes base64."""

from __future__ import annotations

import base64
import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from memory_core.types import Json

T = TypeVar("T")
_PLAIN = frozenset((int, float, str, bool, type(None)))


def pack(value: Any) -> Json:
    """A value as JSON.

    Args:
        value: A dataclass, array, bytes, container of such, or anything JSON holds.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if dataclasses.is_dataclass(kind):
        return {name: pack(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): pack(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(pack(item) for item in value)
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    return value


def unpack(kind: type[T], data: Json) -> T:
    """The dataclass that `pack` made JSON of; what it does not name has its default.

    Args:
        kind: Its class.
        data: The object.
    """
    hints = _hints(typing.cast(Any, kind))
    return kind(**{name: _value(hints[name], item) for name, item in data.items() if name in hints})


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, data: Json) -> Any:
    if data is None:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(next(part for part in arguments if part is not type(None)), data)
    if dataclasses.is_dataclass(hint):
        return unpack(typing.cast(type[Any], hint), data)
    if hint is bytes:
        return base64.b64decode(data)
    if origin is np.ndarray:
        return np.array(data)
    if origin is tuple:
        kinds = arguments[:1] * len(data) if arguments[-1:] == (Ellipsis,) else arguments
        return tuple(_value(kind, item) for kind, item in zip(kinds, data, strict=True))
    if origin in (list, set, frozenset):
        return origin(_value(arguments[0], item) for item in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        convert = int if arguments[0] is int else str
        return {convert(key): _value(arguments[1], item) for key, item in data.items()}
    return data
