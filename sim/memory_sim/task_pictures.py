"""Pictures of episodes: frames with a caption, strips of them, and films."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.types import IntArray

STRIP = 8
_COLUMNS = 4
_HELD = 128
_LINE_PX = 22
_MARGIN_PX = 8
_SCALE = 0.45
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DARK = (40, 40, 40)


def captioned(frame: IntArray, words: str) -> IntArray:
    """A frame with words below, in as many lines as they take.

    Args:
        frame: Shape (h, w, 3), uint8.
        words: The caption; may be empty.

    Returns:
        Shape (h + two lines or more, w, 3), uint8.
    """
    lines = _lines(words, frame.shape[1] - 2 * _MARGIN_PX)
    below = np.full((max(2, len(lines)) * _LINE_PX, frame.shape[1], 3), 255, np.uint8)
    for number, line in enumerate(lines):
        at = (_MARGIN_PX, number * _LINE_PX + 16)
        cv2.putText(below, line, at, _FONT, _SCALE, _DARK, 1, cv2.LINE_AA)
    return np.vstack([frame, below])


def write_strip(path: Path, frames: Sequence[IntArray]) -> Path:
    """Write frames beside and below each other as one picture.

    Args:
        path: A .png or .jpg file.
        frames: At least one, all of one width.

    Raises:
        InvalidQuery: There is no frame, or the file's name ends otherwise.
    """
    if not frames or path.suffix.lower() not in (".png", ".jpg"):
        raise InvalidQuery(
            f"{len(frames)} frames for {path.name}; expected 1 or more, .png or .jpg"
        )
    tallest = max(len(frame) for frame in frames)
    shown = [np.pad(frame, ((0, tallest - len(frame)), (4, 4), (0, 0)), constant_values=255)
             for frame in frames]  # fmt: skip
    columns = min(_COLUMNS, len(shown))
    shown += [np.full_like(shown[0], 255)] * (-len(shown) % columns)
    rows = [np.hstack(shown[first : first + columns]) for first in range(0, len(shown), columns)]
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    return path


class Strip:
    """Some moments of an episode, evenly among those in which something changed."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._frames: list[IntArray] = []
        self._last: IntArray | None = None
        self._every = self._count = 1

    def add(self, frame: IntArray) -> None:
        """One more frame; what looks like the last one is left out."""
        if self._last is not None and np.array_equal(frame, self._last):
            return
        self._last = frame
        self._count += 1
        if self._count % self._every == 0:
            self._frames.append(frame)
        if len(self._frames) > _HELD:
            self._frames = self._frames[::2]
            self._every *= 2

    def write(self, path: Path) -> Path:
        """Write `STRIP` of them, the first and the last among them, as one picture."""
        if self._last is None:
            return write_strip(path, [])
        frames = [*self._frames, self._last]
        places = np.linspace(0, len(frames) - 1, min(STRIP, len(frames)))
        return write_strip(path, [frames[round(float(place))] for place in places])


class Video:
    """Frames into an .mp4. Use as a context manager."""

    def __init__(self, path: Path, *, frames_per_s: int) -> None:
        """Name the file; it is begun with the first frame.

        Raises:
            InvalidQuery: Its name ends otherwise.
        """
        if path.suffix.lower() != ".mp4":
            raise InvalidQuery(f"a film named {path.name}; expected a name ending in .mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._frames_per_s = path, frames_per_s
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def __enter__(self) -> Video:
        """The film itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the film."""
        if self._writer is not None:
            self._writer.release()

    def add(self, frame: IntArray) -> None:
        """One more frame; it is fitted to the size of the first.

        Raises:
            InvalidQuery: OpenCV cannot write such a film here.
        """
        if self._writer is None:
            self._size = (frame.shape[1], frame.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self._frames_per_s, self._size)
            if not self._writer.isOpened():
                raise InvalidQuery(f"OpenCV cannot write {self._path}")
        fitted = frame[: self._size[1], : self._size[0]]
        missing = self._size[1] - len(fitted)
        fitted = np.pad(fitted, ((0, missing), (0, 0), (0, 0)), constant_values=255)
        self._writer.write(cv2.cvtColor(fitted, cv2.COLOR_RGB2BGR))


def _lines(words: str, width_px: int) -> list[str]:
    """Words in lines that are no wider than so many pixels; what cannot be drawn becomes `?`."""
    lines: list[str] = []
    for word in words.encode("ascii", "replace").decode("ascii").split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and cv2.getTextSize(longer, _FONT, _SCALE, 1)[0][0] <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
