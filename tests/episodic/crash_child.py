"""The process that is killed. Run as a program: forks one writer for every line it reads.

A line is JSON: [folder, pipe, seed, steps]. The writer opens the memory and changes it in a
seeded way, writing to the pipe what it will do, and what is acknowledged, as lines of JSON.
Everything is imported before the fork, so that a writer starts in milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

from episodic.making import rich
from memory_core.episodic import migrations
from memory_core.episodic import session as session_module
from memory_core.episodic.database import connect
from memory_core.memory import RobotMemory
from memory_core.types import Pose

ANCHORS = ("dock", "porch")


def steps(count):
    """The migrations of this software and `count` more, each of which fills a table."""

    def fill(number, connection):
        connection.execute(f"CREATE TABLE extra_{number} (observation INTEGER, id TEXT)")
        for _ in range(5):
            connection.execute(f"INSERT INTO extra_{number} SELECT rowid, id FROM observations")

    more = [(f"extra {number}", partial(fill, number)) for number in range(count)]
    return (*migrations.MIGRATIONS, *more)


def know_steps(count):
    """Let memories opened from now on know `count` more migrations."""
    session_module.migrate = partial(migrations.migrate, migrations=steps(count))
    session_module.read_as_current = partial(migrations.check_supported, migrations=steps(count))


def open_memory(folder):
    return RobotMemory.open(folder, text_encoder=None, gpu=False, keyframe_budget_bytes=10**9)


class Writer:
    """Changes a memory until it is killed."""

    def __init__(self, folder, pipe, seed):
        self.folder = Path(folder)
        self.pipe = os.open(pipe, os.O_WRONLY)
        self.chance = random.Random(seed)
        self.say("pid", os.getpid())
        self.memory = open_memory(folder)
        for anchor in ANCHORS:
            self.memory.add_anchor(anchor, Pose(10, 0))
        self.say("ready")

    def say(self, kind, value=None):
        os.write(self.pipe, (json.dumps([kind, value]) + "\n").encode())

    def run(self, next_number, count):
        actions = [self.observe] * 8 + [self.forget, self.forget, self.move, self.rebuild]
        actions += [self.reopen, self.submit, self.submit]
        self.number = next_number
        if self.chance.random() < 0.25:
            self.migrate(count)
        for _ in range(10_000):
            self.chance.choice(actions)()

    def fresh(self, most):
        self.number += (amount := self.chance.randint(1, most))
        return range(self.number - amount, self.number)

    def observe(self):
        numbers = list(self.fresh(25))
        self.say("will observe", numbers)
        made = [rich(n, anchor_id=self.chance.choice(ANCHORS)) for n in numbers]
        added = self.memory.observe(made).added
        self.say("did observe", [[int(i.removeprefix("note-")) for i in added]])

    def submit(self):
        numbers = list(self.fresh(8))
        for number in numbers:
            self.say("will observe", [number])
        futures = [self.memory.submit(rich(n)) for n in numbers]
        for future, number in zip(futures, numbers, strict=True):
            future.result(30)
            self.say("did observe", [[number]])

    def forget(self):
        held = list(self.memory.store.rowids())
        if not held:
            return
        chosen = self.chance.sample(held, min(len(held), self.chance.randint(1, 9)))
        ids = [stored.observation.id for stored in self.memory.store.fetch(chosen)]
        numbers = [int(i.removeprefix("note-")) for i in ids]
        self.say("will forget", numbers)
        self.memory.forget(ids=ids, reason="test")
        self.say("did forget", numbers)

    def move(self):
        x = float(self.chance.randint(0, 1_000))
        self.say("will move", x)
        self.memory.move_anchors({anchor: Pose(x, 0) for anchor in ANCHORS})
        self.say("did move", x)

    def reopen(self):
        self.memory.close()
        self.memory = open_memory(self.folder)

    def rebuild(self):
        self.memory.close()
        shutil.rmtree(self.folder / "index")
        self.memory = open_memory(self.folder)
        self.memory.index.wait(30)

    def migrate(self, count):
        self.memory.close()
        know_steps(count)
        self.say("will migrate")
        connection = connect(self.folder / "memory.db", write=True)
        migrations.migrate(connection, migrations=steps(count))
        connection.close()
        self.memory = open_memory(self.folder)
        self.say("did migrate")


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, pipe, seed, next_number, known, wanted = json.loads(line)
        if os.fork() == 0:
            know_steps(known)
            Writer(folder, pipe, seed).run(next_number, wanted)
            os._exit(0)


if __name__ == "__main__":
    main()
