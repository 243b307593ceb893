"""The database's schema, as numbered steps. A step and its record share one transaction.

`format.json` beside the database names the version for tools and people; the table
`migrations` is what counts. Steps are only ever appended: old versions open forever.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from memory_core.errors import FormatUnsupported

FORMAT = "robot-memory"

_SCHEMA_1 = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('acknowledged', 0), ('commits', 0), ('keyframe_bytes', 0);

CREATE TABLE names (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name));

CREATE TABLE maps (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL DEFAULT 0,
    origin TEXT);

CREATE TABLE anchors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, map INTEGER NOT NULL REFERENCES maps,
    name TEXT NOT NULL, UNIQUE (map, name));

CREATE TABLE anchor_poses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, anchor INTEGER NOT NULL REFERENCES anchors,
    epoch INTEGER NOT NULL, stamp_ns INTEGER NOT NULL,
    x REAL NOT NULL, y REAL NOT NULL, z REAL NOT NULL,
    qx REAL NOT NULL, qy REAL NOT NULL, qz REAL NOT NULL, qw REAL NOT NULL,
    reason TEXT NOT NULL);
CREATE INDEX anchor_poses_by_anchor ON anchor_poses (anchor, id);

CREATE TABLE observations (
    rowid INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    stamp_ns INTEGER NOT NULL, source INTEGER NOT NULL, robot INTEGER NOT NULL,
    session INTEGER NOT NULL, anchor INTEGER NOT NULL REFERENCES anchors,
    x REAL, y REAL, z REAL, qx REAL, qy REAL, qz REAL, qw REAL, covariance BLOB,
    localised INTEGER NOT NULL, text TEXT, confidence REAL NOT NULL, extra TEXT);
CREATE INDEX observations_by_anchor ON observations (anchor);

CREATE TABLE sightings (
    observation INTEGER NOT NULL REFERENCES observations ON DELETE CASCADE,
    sequence INTEGER NOT NULL, label INTEGER NOT NULL,
    x REAL, y REAL, z REAL, covariance BLOB, azimuth REAL, elevation REAL,
    size_x REAL, size_y REAL, size_z REAL, confidence REAL NOT NULL, embedding BLOB,
    PRIMARY KEY (observation, sequence)) WITHOUT ROWID;
CREATE INDEX sightings_by_label ON sightings (label);

CREATE TABLE keyframes (
    observation INTEGER PRIMARY KEY REFERENCES observations ON DELETE CASCADE,
    width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL,
    jpeg BLOB NOT NULL);

CREATE TABLE spaces (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    revision TEXT NOT NULL, dimension INTEGER NOT NULL);

CREATE TABLE embeddings (
    space INTEGER NOT NULL REFERENCES spaces,
    observation INTEGER NOT NULL REFERENCES observations ON DELETE CASCADE,
    vector BLOB NOT NULL, PRIMARY KEY (space, observation)) WITHOUT ROWID;
CREATE INDEX embeddings_by_observation ON embeddings (observation);

CREATE VIRTUAL TABLE words USING fts5 (
    body, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE words_vocabulary USING fts5vocab (words, row);

CREATE VIRTUAL TABLE boxes USING rtree (
    observation, min_x, max_x, min_y, max_y, min_z, max_z);

CREATE TABLE removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stamp_ns INTEGER NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, selection TEXT NOT NULL, replaced_by TEXT,
    observations INTEGER NOT NULL, keyframes INTEGER NOT NULL, keyframe_bytes INTEGER NOT NULL);

CREATE TABLE removed (
    observation INTEGER PRIMARY KEY, id TEXT UNIQUE,
    removal INTEGER NOT NULL REFERENCES removals);
CREATE INDEX removed_by_removal ON removed (removal);

CREATE TABLE refusals (
    code TEXT PRIMARY KEY, count INTEGER NOT NULL, last_stamp_ns INTEGER NOT NULL,
    last_message TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE recordings (
    identity TEXT PRIMARY KEY, name TEXT NOT NULL, reader TEXT NOT NULL,
    complete INTEGER NOT NULL, report TEXT NOT NULL, stamp_ns INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE artifacts (
    name TEXT PRIMARY KEY, format TEXT NOT NULL, data BLOB NOT NULL,
    stamp_ns INTEGER NOT NULL) WITHOUT ROWID;
"""

_SCHEMA_2 = """
ALTER TABLE sightings ADD COLUMN state TEXT;
ALTER TABLE sightings ADD COLUMN entity INTEGER;
CREATE INDEX sightings_by_entity ON sightings (entity, observation) WHERE entity IS NOT NULL;

CREATE TABLE records (
    kind TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, vector BLOB,
    PRIMARY KEY (kind, number)) WITHOUT ROWID;

CREATE TABLE removed_spans (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, removal INTEGER NOT NULL REFERENCES removals);
CREATE INDEX removed_spans_by_removal ON removed_spans (removal);
CREATE TABLE removed_digests (digest INTEGER PRIMARY KEY);

INSERT INTO counters VALUES ('condensed', 0), ('organised', 0), ('structure', 0);
"""

_SCHEMA_2_AS_SEEN_FROM_1 = """
CREATE TEMP VIEW sightings AS SELECT *, NULL AS state, NULL AS entity FROM main.sightings;
CREATE TEMP TABLE records (kind TEXT, number INTEGER, body TEXT, vector BLOB);
CREATE TEMP TABLE removed_spans (first INTEGER, last INTEGER, removal INTEGER);
CREATE TEMP TABLE removed_digests (digest INTEGER);
"""

Migration = tuple[str, Callable[[apsw.Connection], None]]


def _first(connection: apsw.Connection) -> None:
    connection.execute(_SCHEMA_1)


def _second(connection: apsw.Connection) -> None:
    connection.execute(_SCHEMA_2)


MIGRATIONS: tuple[Migration, ...] = (
    ("1 episodic store", _first),
    ("2 structure, and removals without ids", _second),
)


def version_of(connection: apsw.Connection) -> int:
    """How many steps the database has taken; 0 for an empty file."""
    known = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type='table' AND name='migrations'"
    ).get
    if known is None:
        return 0
    return int(connection.execute("SELECT count(*) FROM migrations").get)


def migrate(
    connection: apsw.Connection, *, migrations: tuple[Migration, ...] = MIGRATIONS
) -> list[str]:
    """Take every step that is missing.

    Args:
        connection: A writing connection.
        migrations: The steps; tests hand in longer lists.

    Returns:
        Names of the steps taken, in order.

    Raises:
        FormatUnsupported: The database has taken steps this software does not know.
    """
    check_supported(connection, migrations=migrations)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(step INTEGER PRIMARY KEY, name TEXT NOT NULL, stamp_ns INTEGER NOT NULL)"
    )
    taken = []
    for step, (name, apply) in enumerate(migrations, start=1):
        if step <= version_of(connection):
            continue
        with connection:
            apply(connection)
            connection.execute(
                "INSERT INTO migrations VALUES (?,?,?)", (step, name, time.time_ns())
            )
        taken.append(name)
    return taken


def read_as_current(connection: apsw.Connection) -> None:
    """Let an older database that may not be changed be read like one of today's.

    What is missing is put before it in the connection's own temporary schema.

    Raises:
        FormatUnsupported: The database has taken steps this software does not know.
    """
    check_supported(connection)
    if version_of(connection) == 1:
        connection.execute(_SCHEMA_2_AS_SEEN_FROM_1)


def check_supported(
    connection: apsw.Connection, *, migrations: tuple[Migration, ...] = MIGRATIONS
) -> None:
    """Refuse a database from the future.

    Raises:
        FormatUnsupported: It has more steps than `migrations`.
    """
    version = version_of(connection)
    if version > len(migrations):
        raise FormatUnsupported(
            f"this memory has format {version}, this software knows up to {len(migrations)}; "
            "update robot-memory"
        )


def write_format_file(folder: Path, *, checksums: bool) -> None:
    """Name the format beside the database, for people and tools."""
    content = {
        "format": FORMAT,
        "version": len(MIGRATIONS),
        "database": "memory.db (SQLite, WAL)",
        "page_checksums": checksums,
        "index": "index/ is a cache and may be deleted",
    }
    path = folder / "format.json"
    text = (json.dumps(content, indent=2) + "\n").encode("utf-8")
    if not path.exists() or path.read_bytes() != text:
        temporary = path.with_suffix(".json.tmp")
        temporary.write_bytes(text)
        temporary.replace(path)
