"""What is not on disk yet is kept, bounded, and sent again."""

from __future__ import annotations

from robot_memory_ros.spool import Spool


def spool(most=3, most_bytes=100):
    return Spool(most=most, most_bytes=most_bytes)


def test_what_is_not_acknowledged_is_overdue_again_and_again_oldest_first():
    held = spool()
    held.hold("a", "A", size=1, now_s=0.0)
    held.hold("b", "B", size=1, now_s=1.0)
    assert held.overdue(1.5, after_s=1.0, most=9) == ["A"]
    assert held.overdue(2.0, after_s=1.0, most=9) == ["B"]
    assert held.overdue(2.6, after_s=1.0, most=9) == ["A"]
    assert held.overdue(9.0, after_s=1.0, most=1) == ["A"]


def test_what_is_acknowledged_is_let_go_of_once():
    held = spool()
    held.hold("a", "A", size=1, now_s=0.0)
    assert held.release(["a", "unknown"]) == 1
    assert held.release(["a"]) == 0
    assert len(held) == 0
    assert held.overdue(9.0, after_s=0.0, most=9) == []


def test_the_oldest_go_and_are_counted_where_it_is_full():
    held = spool(most=3)
    for name in "abcde":
        held.hold(name, name, size=1, now_s=0.0)
    assert (len(held), held.dropped) == (3, 2)
    assert held.overdue(9.0, after_s=0.0, most=9) == ["c", "d", "e"]
    held.hold("big", "big", size=99, now_s=0.0)
    assert held.dropped == 4
    assert held.overdue(99.0, after_s=0.0, most=9) == ["e", "big"]
    held.release(["big"])
    held.hold("x", "x", size=99, now_s=0.0)
    assert len(held) == 2
