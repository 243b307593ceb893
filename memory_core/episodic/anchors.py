"""Maps and anchors: what poses are relative to, and how a correction moves what they carry."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import apsw
import numpy as np

from memory_core.episodic.session import StoreSession
from memory_core.errors import UnknownFrame
from memory_core.types import (
    DEFAULT_MAP,
    ORIGIN,
    FloatArray,
    IntArray,
    Json,
    Pose,
)


class AnchorTables(StoreSession):
    """Maps with their epochs, anchors with every pose they ever had."""

    def _prepare(self) -> None:
        self.ensure_anchor(DEFAULT_MAP, ORIGIN, Pose(), reason="the map's origin")

    def ensure_anchor(self, map_id: str, anchor_id: str, pose: Pose, *, reason: str) -> None:
        """Make an anchor where there is none; one that is there stays as it is.

        Args:
            map_id: Its map; made, with an origin, where there is none.
            anchor_id: Its name.
            pose: Its pose in the map.
            reason: Why it is there.
        """
        if self.anchor_number(map_id, anchor_id) is not None:
            return
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO maps (name) VALUES (?)", (map_id,))
            number, epoch = db.execute(
                "SELECT id, epoch FROM maps WHERE name=?", (map_id,)
            ).fetchall()[0]
            wanted = [(ORIGIN, Pose(), "the map's origin"), (anchor_id, pose, reason)]
            for name, at, why in {entry[0]: entry for entry in reversed(wanted)}.values():
                if self._anchor_row(db, map_id, name) is None:
                    db.execute("INSERT INTO anchors (map, name) VALUES (?,?)", (number, name))
                    _add_anchor_pose(db, db.last_insert_rowid(), epoch, at, why)

    @staticmethod
    def _anchor_row(db: apsw.Connection, map_id: str, anchor_id: str) -> int | None:
        found = db.execute(
            "SELECT a.id FROM anchors a JOIN maps m ON m.id=a.map WHERE m.name=? AND a.name=?",
            (map_id, anchor_id),
        ).get
        return None if found is None else int(found)

    def anchor_number(self, map_id: str, anchor_id: str) -> int | None:
        """The database's number of an anchor; None where there is none."""
        with self.reading() as db:
            return self._anchor_row(db, map_id, anchor_id)

    def anchor_poses(self) -> dict[int, tuple[str, str, Pose]]:
        """Current pose of every anchor: number → (map, anchor, pose in the map)."""
        query = (
            "SELECT a.id, m.name, a.name, p.x, p.y, p.z, p.qx, p.qy, p.qz, p.qw "
            "FROM anchors a JOIN maps m ON m.id=a.map JOIN anchor_poses p ON p.id = "
            "(SELECT max(id) FROM anchor_poses WHERE anchor=a.id)"
        )
        with self.reading() as db:
            return {row[0]: (row[1], row[2], Pose(*row[3:])) for row in db.execute(query)}

    def anchor_history(self, map_id: str, anchor_id: str) -> list[tuple[int, Pose, str]]:
        """Every pose an anchor ever had, oldest first: (epoch, pose, reason)."""
        number = self._known_anchor(map_id, anchor_id)
        with self.reading() as db:
            return [
                (row[0], Pose(*row[1:8]), row[8])
                for row in db.execute(
                    "SELECT epoch, x, y, z, qx, qy, qz, qw, reason FROM anchor_poses "
                    "WHERE anchor=? ORDER BY id",
                    (number,),
                )
            ]

    def _known_anchor(self, map_id: str, anchor_id: str) -> int:
        number = self.anchor_number(map_id, anchor_id)
        if number is None:
            raise UnknownFrame(
                f"anchor {anchor_id!r} of map {map_id!r} is unknown; add it first (add_anchor)"
            )
        return number

    def move_anchors(self, map_id: str, poses: Mapping[str, Pose], *, reason: str) -> int:
        """Give anchors new poses in their map, in one transaction, and raise its epoch.

        Everything they carry moves with them: map coordinates are derived from the anchor.

        Args:
            map_id: The map that was corrected.
            poses: New poses in the map, by anchor.
            reason: What corrected it (loop closure, new map → odom).

        Returns:
            The map's new epoch.

        Raises:
            UnknownFrame: One of the anchors is unknown; nothing moved.
        """
        numbers = {self._known_anchor(map_id, name): pose for name, pose in poses.items()}
        with self._transaction() as db:
            db.execute("UPDATE maps SET epoch = epoch + 1 WHERE name=?", (map_id,))
            epoch = int(db.execute("SELECT epoch FROM maps WHERE name=?", (map_id,)).get)
            for number, pose in numbers.items():
                _add_anchor_pose(db, number, epoch, pose, reason)
                rowids, moved = _carried(db, number, pose)
                db.executemany(
                    "UPDATE boxes SET min_x=?,max_x=?,min_y=?,max_y=?,min_z=?,max_z=? "
                    "WHERE observation=?",
                    (
                        (x, x, y, y, z, z, rowid)
                        for (x, y, z), rowid in zip(moved.tolist(), rowids.tolist(), strict=True)
                    ),
                )
        return epoch

    def epochs(self) -> dict[str, int]:
        """The epoch of every map."""
        with self.reading() as db:
            return dict(db.execute("SELECT name, epoch FROM maps"))

    def raise_epoch(self, map_id: str, epoch: int) -> None:
        """Set a map's epoch, where it is below."""
        with self._transaction() as db:
            db.execute("UPDATE maps SET epoch = max(epoch, ?) WHERE name=?", (epoch, map_id))

    def set_origin(self, map_id: str, origin: Json) -> None:
        """Keep where on Earth a map's origin lies (longitude, latitude in degrees)."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO maps (name) VALUES (?)", (map_id,))
            db.execute("UPDATE maps SET origin=? WHERE name=?", (json.dumps(origin), map_id))

    def origin(self, map_id: str) -> Json:
        """Where on Earth a map's origin lies; None where nobody said."""
        with self.reading() as db:
            text = db.execute("SELECT origin FROM maps WHERE name=?", (map_id,)).get
        return None if text is None else json.loads(text)

    def moved_since(self, pose_id: int) -> tuple[int, IntArray, FloatArray]:
        """Map coordinates of everything carried by anchors that got a pose after `pose_id`.

        Returns:
            Number of the last anchor pose, rowids, shape (n,), ascending, and positions in the
            map, shape (n, 3), metres.
        """
        with self.reading() as db:
            last = self.last_anchor_pose()
            moved = [
                row[0]
                for row in db.execute(
                    "SELECT DISTINCT anchor FROM anchor_poses WHERE id > ?", (pose_id,)
                )
            ]
            anchors = self.anchor_poses() if moved else {}
            parts = [_carried(db, number, anchors[number][2]) for number in moved]
        if not parts:
            return last, np.empty(0, np.int64), np.empty((0, 3))
        rowids = np.concatenate([part[0] for part in parts])
        order = np.argsort(rowids)
        return last, rowids[order], np.concatenate([part[1] for part in parts])[order]

    def last_anchor_pose(self) -> int:
        """Number of the last pose that any anchor got."""
        with self.reading() as db:
            return int(db.execute("SELECT coalesce(max(id),0) FROM anchor_poses").get)


def _carried(db: apsw.Connection, anchor: int, pose: Pose) -> tuple[IntArray, FloatArray]:
    """What an anchor carries, placed by a pose: rowids (n,), and map positions (n, 3), metres."""
    found = db.execute(
        "SELECT rowid, x, y, z FROM observations WHERE anchor=? AND x IS NOT NULL", (anchor,)
    ).fetchall()
    table = np.array(found, np.float64).reshape(-1, 4)
    return table[:, 0].astype(np.int64), pose.transform(table[:, 1:])


def _add_anchor_pose(db: apsw.Connection, anchor: int, epoch: int, pose: Pose, reason: str) -> None:
    db.execute(
        "INSERT INTO anchor_poses (anchor, epoch, stamp_ns, x, y, z, qx, qy, qz, qw, reason) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (anchor, epoch, time.time_ns(), *pose.position, *pose.quaternion, reason),
    )
