"""Reading text files of recordings: plain or gzipped, with errors that name the line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from memory_core.errors import InputRejected, InvalidText, RecordingUnreadable
from memory_core.types import Json

MAX_LINE_BYTES = 64 * 2**20


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, gzipped where its name ends so.

    Raises:
        RecordingUnreadable: The file ends in damage, or a line is longer than 64 MiB.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                if len(line) > MAX_LINE_BYTES:
                    raise RecordingUnreadable(f"{path} has a line of over 64 MiB")
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RecordingUnreadable(f"{path} is cut short or damaged: {error}") from error


def parse_line(line: bytes, where: str) -> Json:
    """One line of JSON.

    Raises:
        InvalidText: It is not UTF-8.
        InputRejected: It is not JSON, or not an object.
    """
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidText(f"{where} is not UTF-8: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputRejected(f"{where} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputRejected(f"{where} is not a JSON object")
    return value


def read_json(path: Path) -> Json:
    """A whole JSON file.

    Raises:
        RecordingUnreadable: It is damaged, not UTF-8 or not JSON.
    """
    try:
        return json.loads(b"".join(read_lines(path)).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RecordingUnreadable(f"{path} is not JSON: {error}") from error
