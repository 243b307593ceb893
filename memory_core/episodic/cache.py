"""The cache on disk: columns, vectors and lists beside the database, each with a checksum.

Nothing here is trusted. Every file's CRC-32 stands in the manifest, which carries its own and
names how far into the database the cache reaches; a missing, older, newer or damaged part is made anew from the
database. The manifest is replaced as a whole after the files it speaks of are written.
"""

from __future__ import annotations

import json
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.episodic.columns import Columns
from memory_core.episodic.vectors import CpuIndex, InvertedLists
from memory_core.types import EmbeddingSpace, Json

_log = logging.getLogger(__name__)

VERSION = 1
BLOCK_ROWS = 65_536
_MANIFEST = "manifest.json"


@dataclass(slots=True)
class Watermark:
    """How far into the database the cache reaches: last rowid, removal and anchor pose."""

    rowid: int = 0
    removal: int = 0
    anchor_pose: int = 0


@dataclass(slots=True)
class SpaceEntry:
    """What the manifest says of one vector space."""

    model: str
    revision: str
    dimension: int
    rows: int
    blocks: list[int] = field(default_factory=list)
    rowids_crc: int = 0
    lists: int = 0
    listed_rows: int = 0
    lists_crc: int = 0


class IndexCache:
    """The folder `index/` of a memory."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read yet."""
        self.folder = folder
        self._entries: dict[str, SpaceEntry] = {}

    def vectors_path(self, space: str) -> Path:
        """The file of a space's vectors."""
        return self.folder / f"{_safe(space)}.f16"

    def load(
        self, spaces: dict[str, EmbeddingSpace], *, in_place: bool
    ) -> tuple[Watermark, Columns, dict[str, CpuIndex]] | None:
        """Read what is good.

        Args:
            spaces: The spaces of the database; vectors of another model are not taken.
            in_place: Map the vector files and let them grow; else read them into memory.

        Returns:
            How far it reaches, the columns and an index for every space; None where there is
            nothing to be trusted.
        """
        try:
            signed = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
            manifest = signed["content"]
            if manifest["version"] != VERSION:
                return None
            if signed["crc"] != _crc_of_json(manifest):
                raise ValueError(f"{_MANIFEST} is damaged")
            columns = self._load_columns(manifest["columns"])
            watermark = Watermark(**manifest["watermark"])
            indexes = {}
            for name, entry in manifest["spaces"].items():
                self._entries[name] = SpaceEntry(**entry)
                space = spaces.get(name)
                known = self._entries[name]
                if space is None or (space.model, space.revision, space.dimension) != (
                    known.model, known.revision, known.dimension,
                ):  # fmt: skip
                    raise ValueError(f"space {name} was made anew")
                indexes[name] = self._load_space(name, known, in_place=in_place)
            if set(indexes) != set(spaces):
                raise ValueError("a space is missing")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning(
                "the index cache in %s is not used: %s; making it anew", self.folder, error
            )
            self._entries.clear()
            return None
        return watermark, columns, indexes

    def _load_columns(self, entry: dict[str, Any]) -> Columns:
        data = (self.folder / "columns.bin").read_bytes()
        if zlib.crc32(data) != entry["crc"]:
            raise ValueError("columns.bin is damaged")
        arrays, start = {}, 0
        rows = int(entry["rows"])
        for name, code in entry["types"].items():
            dtype = np.dtype(code)
            arrays[name] = np.frombuffer(data, dtype, rows, start)
            start += rows * dtype.itemsize
        if start != len(data):
            raise ValueError("columns.bin has another length")
        return Columns(arrays)

    def _load_space(self, name: str, entry: SpaceEntry, *, in_place: bool) -> CpuIndex:
        base = self.folder / _safe(name)
        path = self.vectors_path(name)
        rowids = _checked(base.with_suffix(".rowids"), np.int64, entry.rows, entry.rowids_crc)
        row_bytes = entry.dimension * 2
        if path.stat().st_size < entry.rows * row_bytes:
            raise ValueError(f"{path.name} is too short")
        with ThreadPoolExecutor(2) as pool:
            sizes = _block_sizes(entry.rows)
            found = pool.map(
                lambda block: _crc_of(
                    path, block * BLOCK_ROWS * row_bytes, sizes[block] * row_bytes
                ),
                range(len(sizes)),
            )
            if list(found) != entry.blocks:
                raise ValueError(f"{path.name} is damaged")
        lists = self._load_lists(base, entry) if entry.lists else None
        if in_place:
            return CpuIndex(entry.dimension, path=path, rowids=rowids, lists=lists)
        index = CpuIndex(entry.dimension, lists=lists)
        vectors = np.fromfile(path, np.float16, entry.rows * entry.dimension)
        index.add(rowids, vectors.reshape(-1, entry.dimension))
        return index

    @staticmethod
    def _load_lists(base: Path, entry: SpaceEntry) -> InvertedLists:
        data = base.with_suffix(".lists").read_bytes()
        if zlib.crc32(data) != entry.lists_crc:
            raise ValueError(f"{base.name}.lists is damaged")
        split = entry.lists * entry.dimension * 4
        centroids = np.frombuffer(data, np.float32, entry.lists * entry.dimension)
        assignment = np.frombuffer(data, np.uint16, entry.listed_rows, split)
        return InvertedLists.of(centroids.reshape(entry.lists, -1), assignment)

    def save(
        self,
        watermark: Watermark,
        columns: Columns,
        indexes: dict[str, CpuIndex],
        spaces: dict[str, EmbeddingSpace],
    ) -> None:
        """Write what changed since the last time, then the manifest.

        Args:
            watermark: How far it reaches.
            columns: The columns.
            indexes: Indexes whose vectors lie in `vectors_path`.
            spaces: Their models.

        Raises:
            OSError: The disk refused; the cache is then not trusted at the next opening.
        """
        self.folder.mkdir(exist_ok=True)
        arrays = columns.arrays()
        crc = 0
        with (self.folder / "columns.bin").open("wb") as file:
            for array in arrays.values():
                data = np.ascontiguousarray(array).tobytes()
                crc = zlib.crc32(data, crc)
                file.write(data)
        entries = {
            name: self._save_space(name, index, spaces[name])
            for name, index in indexes.items()
            if name in spaces
        }
        manifest = {
            "version": VERSION,
            "watermark": asdict(watermark),
            "columns": {
                "rows": len(columns),
                "crc": crc,
                "types": {name: array.dtype.str for name, array in arrays.items()},
            },
            "spaces": {name: asdict(entry) for name, entry in entries.items()},
        }
        temporary = self.folder / (_MANIFEST + ".tmp")
        signed = {"crc": _crc_of_json(manifest), "content": manifest}
        temporary.write_text(json.dumps(signed), encoding="utf-8")
        temporary.replace(self.folder / _MANIFEST)
        self._entries = entries

    def _save_space(self, name: str, index: CpuIndex, space: EmbeddingSpace) -> SpaceEntry:
        base = self.folder / _safe(name)
        old = self._entries.get(name)
        vectors, rowids = index.vectors, index.rowids
        rows = min(len(vectors), len(rowids))
        blocks: list[int] = []
        if old is not None and old.rows <= rows and old.revision == space.revision:
            blocks = old.blocks[: old.rows // BLOCK_ROWS]
        for block in range(len(blocks), len(_block_sizes(rows))):
            part = vectors[block * BLOCK_ROWS : min(rows, (block + 1) * BLOCK_ROWS)]
            blocks.append(zlib.crc32(np.ascontiguousarray(part).tobytes()))
        entry = SpaceEntry(space.model, space.revision, space.dimension, rows, blocks)
        data = np.ascontiguousarray(rowids[:rows]).tobytes()
        entry.rowids_crc = zlib.crc32(data)
        base.with_suffix(".rowids").write_bytes(data)
        lists = index.lists
        if lists is not None:
            entry.lists, entry.listed_rows = len(lists.centroids), lists.rows
            if old is not None and (old.lists, old.listed_rows) == (entry.lists, entry.listed_rows):
                entry.lists_crc = old.lists_crc
            else:
                data = lists.centroids.tobytes() + lists.assignment.tobytes()
                entry.lists_crc = zlib.crc32(data)
                base.with_suffix(".lists").write_bytes(data)
        return entry

    def clear(self) -> None:
        """Delete the cache; the database is not touched."""
        self._entries.clear()
        if self.folder.exists():
            for path in self.folder.iterdir():
                if path.is_file():
                    path.unlink()


def _crc_of_json(value: Json) -> int:
    return zlib.crc32(json.dumps(value, sort_keys=True).encode("utf-8"))


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in name)


def _block_sizes(rows: int) -> list[int]:
    return [min(BLOCK_ROWS, rows - start) for start in range(0, rows, BLOCK_ROWS)]


def _crc_of(path: Path, start: int, size: int) -> int:
    crc = 0
    with path.open("rb") as file:
        file.seek(start)
        while size > 0 and (data := file.read(min(size, 1 << 22))):
            crc = zlib.crc32(data, crc)
            size -= len(data)
    return crc


def _checked(path: Path, dtype: Any, rows: int, crc: int) -> Any:
    data = path.read_bytes()
    if len(data) != rows * np.dtype(dtype).itemsize or zlib.crc32(data) != crc:
        raise ValueError(f"{path.name} is damaged")
    return np.frombuffer(data, dtype)
