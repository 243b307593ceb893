"""Words to errands, and what became of them to codes: what `planner_node` says of its planner."""

from __future__ import annotations

from memory_core.errors import EmptyMemory, GoalNotUnderstood
from memory_core.planning.candidates import Candidate
from memory_core.planning.goals import parse_goal

GOING = ('go', 'return')
BRINGING = ('fetch', 'put')
CANCELLED = 'cancelled'
ENDS = {
    'interrupted': (CANCELLED, 'it was cancelled'),
    'nothing known': (EmptyMemory.code, 'nothing like it was ever seen; let the robot see more, '
                      'or use other words'),
    'destination unknown': ('destination_unknown', 'nothing is known to put it on or in by that '
                            'name; use other words'),
    'not found': ('not_found', 'it was nowhere one can think of'),
    'lost': ('not_localised', 'the robot does not know where it is; set the initial pose'),
    'no path': ('no_path', 'no way leads there; see the map and the navigator'),
    'blocked': ('blocked', 'something stands in the way'),
    'too far': ('too_far', 'it is further than max_travel'),
    'no navigator': ('navigator_missing', 'nobody serves navigate_to_pose; start nav2'),
    'stopped': ('stopped', 'somebody else stopped the navigator'),
    'no arm': ('no_arm', "nobody serves manipulate; start the arm's driver"),
    'hand full': ('hand_full', 'the hand holds something; take it out first'),
    'out of reach': ('out_of_reach', 'the arm does not get there'),
    'going in circles': ('going_in_circles', 'the same step failed again and again'),
}  # fmt: skip
"""Why errands end, by the planner's words: a code, and what it means."""


def ended(reason: str, complaint: str = '') -> tuple[str, str]:
    """
    Tell the code of a reason why an errand ended, and what it means.

    :param reason: `Outcome.reason`.
    :param complaint: What the navigator said, where it said something.
    """
    code, meaning = ENDS.get(reason, (reason.replace(' ', '_'), reason))
    return code, f'{meaning} ({complaint})' if complaint else meaning


def going_words(goal: str) -> str:
    """
    Make words to go somewhere of words for a place.

    :param goal: "the kitchen", "where you last saw the red mug", or a whole sentence.
    :raises GoalNotUnderstood: It asks for something else.
    """
    try:
        kind = parse_goal(goal).kind
    except GoalNotUnderstood:
        kind = 'answer'
    if kind in GOING:
        return goal
    words = f'go to {goal.strip()}'
    if kind != 'answer' or not goal.strip() or parse_goal(words).kind not in GOING:
        raise GoalNotUnderstood(
            f'{goal!r} is nowhere to go; say a place, like "the kitchen" or "where you last saw '
            'the red mug"'
        )
    return words


def bringing_words(thing: str, to: str) -> str:
    """
    Make words to bring a thing.

    :param thing: "the red mug".
    :param to: "the kitchen table"; empty: to whoever asked.
    :raises GoalNotUnderstood: It names nothing that can be brought.
    """
    thing, to = thing.strip(), to.strip()
    words = f'bring {thing} to {to}' if to else f'bring me {thing}'
    if not thing or parse_goal(words).kind not in BRINGING:
        raise GoalNotUnderstood(f'{thing!r} is nothing to bring; name a thing, like "the red mug"')
    return words


def because(candidate: Candidate | None) -> str:
    """Say what a plan rests on."""
    if candidate is None:
        return ''
    return (
        f'The {candidate.label} was {candidate.told} ({candidate.meaning:.0%} meant, '
        f'{candidate.still_there:.0%} still there).'
    )
