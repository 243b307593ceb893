"""Dataclasses to JSON and back, by their annotations; arrays are lists, bytes base64."""

from __future__ import annotations

import base64
import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
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
    return typing.cast(T, _reader(typing.cast(Any, kind))(data))


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _as_it_is(data: Json) -> Any:
    return data


@functools.cache
def _reader(hint: Any) -> Callable[[Json], Any]:
    """What makes a value of an annotation's kind from JSON; None stays None."""
    read = _reader_of(hint)
    return read if read is _as_it_is else lambda data: None if data is None else read(data)


def _reader_of(hint: Any) -> Callable[[Json], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _reader(next(part for part in arguments if part is not type(None)))
    if dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if hint is bytes:
        return base64.b64decode
    if origin is np.ndarray:
        return np.array
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin in (list, set, frozenset):
        read = _reader(arguments[0])
        return lambda data: origin(map(read, data))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key, item = int if arguments[0] is int else str, _reader(arguments[1])
        return lambda data: {key(name): item(value) for name, value in data.items()}
    return _as_it_is


def _dataclass_reader(kind: Any) -> Callable[[Json], Any]:
    readers = {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}
    return lambda data: kind(
        **{name: readers[name](value) for name, value in data.items() if name in readers}
    )


def _tuple_reader(arguments: tuple[Any, ...]) -> Callable[[Json], Any]:
    readers = [_reader(part) for part in arguments if part is not Ellipsis]
    if all(read is _as_it_is for read in readers):
        return tuple
    if arguments[-1:] == (Ellipsis,):
        return lambda data: tuple(map(readers[0], data))
    return lambda data: tuple(read(value) for read, value in zip(readers, data, strict=True))
