"""What can still be read of bag files that were cut short, lost their index or their metadata.

Messages come in the order they were written, up to the damage. It offers of rosbags' `AnyReader`
what `RosbagRecording` uses.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_Record = tuple[str, str, int, bytes]


@dataclass(frozen=True, slots=True)
class SalvagedTopic:
    """A topic: its name, its message type, and how many messages can be read."""

    topic: str
    msgtype: str
    msgcount: int


class SalvagedBag:
    """Readable messages of damaged `.mcap` and `.db3` files.

    Attributes:
        connections: The topics found.
        damage: Where and how the files end; empty where all could be read.
    """

    def __init__(self, files: Collection[Path], default_typestore: Any) -> None:
        """Read the files once, to count what they hold.

        Args:
            files: Storage files, in order.
            default_typestore: Message types for files that bring no definitions.
        """
        self._files = list(files)
        self._definitions: dict[str, str] = {}
        self.damage: list[str] = []
        found: Counter[tuple[str, str]] = Counter()
        for path in self._files:
            try:
                for topic, msgtype, _, _ in self._records(path):
                    found[topic, msgtype] += 1
            except Exception as error:  # codecs raise whatever damage leads them to
                words = str(error) or type(error).__name__
                self.damage.append(f"{path.name} cannot be read to its end: {words}")
        self.connections = [SalvagedTopic(*key, count) for key, count in found.items()]
        self._types = _typestore(self._definitions, default_typestore)

    def messages(
        self, connections: Collection[SalvagedTopic]
    ) -> Iterator[tuple[SalvagedTopic, int, bytes]]:
        """Messages of some topics: (topic, stamp in ns, bytes); they end where the damage is."""
        wanted = {(item.topic, item.msgtype): item for item in connections}
        for path in self._files:
            with suppress(Exception):  # told in `damage`
                for topic, msgtype, stamp_ns, data in self._records(path):
                    if (topic, msgtype) in wanted:
                        yield wanted[topic, msgtype], stamp_ns, data

    def deserialize(self, raw: bytes, msgtype: str) -> Any:
        """A message from its bytes."""
        return self._types.deserialize_cdr(raw, msgtype)

    def close(self) -> None:
        """Nothing is held open."""

    def _records(self, path: Path) -> Iterator[_Record]:
        return self._of_mcap(path) if path.suffix == ".mcap" else self._of_sqlite(path)

    def _of_mcap(self, path: Path) -> Iterator[_Record]:
        from mcap.records import Channel, Message, Schema
        from mcap.stream_reader import StreamReader

        types: dict[int, str] = {}
        topics: dict[int, tuple[str, str]] = {}
        with path.open("rb") as file:
            for record in StreamReader(file, validate_crcs=True).records:
                if isinstance(record, Schema):
                    types[record.id] = record.name
                    if record.encoding == "ros2msg":
                        self._definitions[record.name] = record.data.decode()
                elif isinstance(record, Channel):
                    topics[record.id] = (record.topic, types.get(record.schema_id, ""))
                elif isinstance(record, Message):
                    yield (*topics[record.channel_id], record.log_time, record.data)

    def _of_sqlite(self, path: Path) -> Iterator[_Record]:
        address = f"{path.absolute().as_uri()}?immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.execute("PRAGMA writable_schema=ON")  # opens files shorter than they say
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if "message_definitions" in tables:
                self._definitions |= database.execute(
                    "SELECT topic_type, encoded_message_definition FROM message_definitions "
                    "WHERE encoding='ros2msg'"
                ).fetchall()
            topics = {
                number: (name, msgtype)
                for number, name, msgtype in database.execute("SELECT id, name, type FROM topics")
            }
            rows = "SELECT topic_id, timestamp, data FROM messages ORDER BY id"
            for number, stamp_ns, data in database.execute(rows):
                yield (*topics[number], stamp_ns, data)


def _typestore(definitions: dict[str, str], default: Any) -> Any:
    """The bag's own message types, completed by known ones."""
    from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore

    types = dict(default.fielddefs)
    for name, text in definitions.items():
        try:
            types |= get_types_from_msg(text, name)
        except TypesysError:
            continue
    store = get_typestore(Stores.EMPTY)
    store.register(types)
    return store
