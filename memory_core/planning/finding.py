"""Find a thing: where it is remembered first, then where such things are, opening what is shut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.candidates import LOOK_COST_M, SAME_SPOT_M, Candidate, Meant
from memory_core.planning.critic import nearest
from memory_core.planning.errand import SEE_FROM_M, Errand
from memory_core.planning.fronts import hinged
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.passing import (
    SAME_PIECE_M,
    WIDE_M,
    Passed,
    aim,
    hid,
    in_one_view,
    is_open,
)
from memory_core.planning.persistence import DAY_NS
from memory_core.planning.regions import APART_M, Region, has_boards
from memory_core.planning.search_order import Apart, Places, best_density, shortest_search
from memory_core.types import FloatArray, Pose, Vector3

PAST_DAYS = 14
UNLIKELY = 0.01
"""Candidates less probable than this are not visited before regions were searched."""
ELSEWHERE = 0.05
"""At least so much belief is left for the thing being where it was never seen."""
ASIDE_M = 0.5
IN_VIEW_M = 1.5
LIKELY = 40
"""So many of the likeliest regions are put into order."""
INSIDE_M, ABOVE_M, DEEP_M = 0.45, 0.1, 0.6
IN_VIEW = 8
"""One place to stand at shows hardly more regions than these."""
STOOD, AGAIN = 2, 0.1
"""A surface is looked at from so many places at most: at once where something hides it; else late, at
so much of its chance, for small things that stood behind others."""


@dataclass(slots=True)
class Hunt:
    """One thing being looked for.

    Attributes:
        errand: The errand it is for.
        phrase: What was asked for, its place included.
        within: Room or furniture the search is limited to; "" for everywhere.
        reach: Whether it is to be reached, not just seen.
        first: What the phrase meant when the hunt began.
        past: Looks for it on earlier errands.
    """

    errand: Errand
    phrase: str
    within: str = ""
    reach: bool = False
    first: Meant = field(init=False)
    past: tuple[LookedFor, ...] = field(init=False)
    _known: list[Vector3] | None = None
    _searched: list[tuple[Vector3, tuple[Pose, ...]]] = field(default_factory=list)
    """Middles of what was searched, with where one stood if it may show more from elsewhere."""
    _passed: Passed = field(default_factory=Passed)
    _apart: Apart = field(init=False)
    _stands: dict[Vector3, Vector3] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Ask what is meant, and where it was looked for before."""
        self._apart = Apart(self.errand.body.navigator.ways_m)
        since = self.errand.progress.start_ns - PAST_DAYS * DAY_NS
        self.first = self.errand.meant(self.phrase)
        self.past = self.errand.knowledge.looks_for(self.thing, since_ns=max(1, since))

    @property
    def thing(self) -> str:
        """Its noun phrase."""
        return self.first.thing

    def fits(self, label: str) -> bool:
        """Whether something with a label may be what is hunted for."""
        return self.first.fits(label)

    def find(self) -> Seen | None:
        """Go about until it is in view; None where it is nowhere one can think of."""
        while True:
            self._known, meant = None, self._meant()
            regions = self._left(meant)
            candidate, region = self._next(meant, regions)
            if candidate is not None:
                seen = self._visit(candidate)
            elif region is None:
                return None
            elif views := self._views([one for one in regions if not self._was_searched(one)]):
                seen = self._glance(views)
            else:
                seen = self.search(region)
            if seen is not None:
                return seen

    def _meant(self) -> Meant:
        return self.errand.meant(self.phrase, looked=self.past)

    def _left(self, meant: Meant) -> list[Region]:
        """Where was not searched yet, or not from everywhere."""
        return [
            region
            for region in self._regions(meant)
            if not self._was_searched(region) or 0 < len(self._stood_at(region)) < STOOD
        ]

    def _next(
        self, meant: Meant, regions: Sequence[Region]
    ) -> tuple[Candidate | None, Region | None]:
        """What is most worth a visit now: a candidate, or a region."""
        open_to = [
            c for c in meant.candidates
            if math.isfinite(c.travel_m) and c.probability >= UNLIKELY and not self._in_vain(c)
        ]  # fmt: skip
        if self.within:
            open_to = []
        left = max(ELSEWHERE, 1.0 - sum(candidate.probability for candidate in open_to))
        best = open_to[0] if open_to else None
        weighed = [(region, self._chance(region)) for region in regions]
        weighed.sort(key=lambda pair: -pair[1])
        at_once = sum(chance for _, chance in weighed[:IN_VIEW])
        if best is not None and best.worth >= left * at_once / LOOK_COST_M:
            return best, None  # hardly any order of the regions is worth more
        first, worth = self._first_of(weighed[:LIKELY])
        if best is not None and best.worth >= left * worth:
            return best, None
        return None, first

    def _first_of(self, weighed: Sequence[tuple[Region, float]]) -> tuple[Region | None, float]:
        """The region to search first, and how likely the thing is found a metre of the search.

        Args:
            weighed: Regions with the chance that it is there.
        """
        likely = [region for region, _ in weighed]
        stood = [self._stood(region) for region in likely]
        apart_m = self._apart.between(stood)
        places = Places(
            np.array([chance for _, chance in weighed]),
            self.errand.body.navigator.ways_m(self.errand.here().position, stood),
            apart_m,
            np.array([region.look_m for region in likely]),
            self._passed.shows(likely, stood, apart_m),
        )
        order = shortest_search(places)
        return likely[order[0]] if order else None, best_density(order, places)

    def _stood(self, region: Region) -> Vector3:
        """Where to stand to look at a region; its middle where nothing is known of that."""
        if region.centre not in self._stands:
            near_m, far_m = SEE_FROM_M
            stands = self.errand.body.navigator.standing(
                region.looked_at[0], near_m=near_m, far_m=far_m
            )
            self._stands[region.centre] = stands[0].pose.position if stands else region.centre
        return self._stands[region.centre]

    def _views(self, regions: Sequence[Region]) -> list[list[Region]]:
        """Furniture that is worth a glance from here, in groups that one look takes in."""
        here = self.errand.here()
        near = self._passed.worth_a_glance(regions, here)
        if not near:
            return []
        seen = self.errand.body.navigator.in_sight(
            [region.centre for region in near], np.array([region.rim_m for region in near])
        )
        return in_one_view([one for one, there in zip(near, seen, strict=True) if there], here)

    def _chance(self, region: Region) -> float:
        """How likely it is there, less where it was passed, or searched, and nothing noticed."""
        if self._was_searched(region):
            return region.probability * AGAIN
        return region.probability * self._passed.overlooked(region)

    def _glance(self, views: Sequence[Sequence[Region]]) -> Seen | None:
        """Look at groups of furniture from where the robot stands, before it goes anywhere."""
        here, others = self.errand.here(), self._others()
        for group in views:
            at = aim(group, here)
            seen = [*self.errand.glance(at), *self.errand.glance(at)]  # one may miss
            self._passed.glance(group, here, self.errand.body.eyes.cloud())
            news = [item for item in seen if self.fits(item.label) and _away_from(item, others)]
            if news:
                return self._go_and_see(news[-1])
        return None

    def _others(self) -> list[Vector3]:
        """Where things like it were known to be before this step, or were looked for in vain.

        There they are visited in their turn; a search of a room or piece of furniture visits none.
        """
        if self._known is None:
            known = () if self.within else self.errand.meant(self.thing).candidates
            self._known = [one.position for one in known]
        return self._known + [look.position for look in self.errand.looked if not look.found]

    def _look_about(self) -> list[Seen]:
        """What was noticed since the last time, if it is the thing; notes what was passed."""
        noticed = self.errand.body.eyes.noticed()
        self._passed.note(noticed)
        return [item for item in noticed if self.fits(item.label)]

    def _regions(self, meant: Meant) -> tuple[Region, ...]:
        return self.errand.regions(
            meant.thing, within=self.within, looked=self.past,
            seen_until_ns=self.errand.progress.start_ns,
        )  # fmt: skip

    def _in_vain(self, candidate: Candidate) -> bool:
        return any(
            not look.found
            and look.stamp_ns > candidate.last_ns
            and math.dist(look.position, candidate.position) <= SAME_SPOT_M
            for look in self.errand.looked
        )

    def _was_searched(self, region: Region) -> bool:
        return any(math.dist(region.centre, at) < APART_M for at, _ in self._searched)

    def _stood_at(self, region: Region) -> tuple[Pose, ...]:
        """From where it was looked at in vain, if it may show more from elsewhere."""
        stood = [poses for at, poses in self._searched if math.dist(region.centre, at) < APART_M]
        return tuple(pose for poses in stood for pose in poses)

    def _visit(self, candidate: Candidate) -> Seen | None:
        """Look where it is remembered, and into what is shut there."""
        errand, at = self.errand, candidate.position
        arrived, elsewhere = self._go_looking(at, candidate.label, reach=self.reach)
        if elsewhere is not None:
            return self._go_and_see(elsewhere)
        if not arrived:
            errand.looked.append(LookedFor(self.thing, at, errand.now_ns, False))
            return None
        seen = errand.look_for(self.fits, self.thing, at)
        if seen is not None:
            return seen
        noticed = self._look_about()
        if noticed:
            return self._go_and_see(noticed[-1])
        for region in self._regions(self._meant()):
            if region.shut and _may_hold(region, at) and not self._was_searched(region):
                seen = self.search(region)
                if seen is not None:
                    return seen
        return None

    def _go_looking(
        self,
        at: Vector3,
        name: str,
        *,
        reach: bool = False,
        square: bool = False,
        apart_from: Sequence[Pose] = (),
    ) -> tuple[bool, Seen | None]:
        """Drive to where a point can be looked at, or stop where the thing is seen on the way.

        One like it is taken for it only where none was known to be, and none was looked for in
        vain on this errand.

        Args:
            at: `map`.
            name: Of what is there.
            reach: Whether the hand must reach it.
            square: Whether to look at it straight from the front.
            apart_from: Where it stood before in vain.

        Returns:
            Whether it arrived, and what it stopped for.
        """
        spotted: list[Seen] = []
        others = self._others()

        def stop() -> bool:
            spotted.extend(item for item in self._look_about() if _away_from(item, others))
            return bool(spotted)  # asked again, it says the same

        self.errand.body.eyes.noticed()
        arrived = self.errand.approach(
            at, name, reach=reach, square=square, stop=stop, apart_from=apart_from
        )
        return arrived, spotted[-1] if spotted else None

    def search(self, region: Region) -> Seen | None:
        """Look over a surface, or into what is shut."""
        errand, before = self.errand, self._stood_at(region)
        self._searched.append((region.centre, before))  # not again, if it cannot be got to
        arrived, spotted = self._go_looking(
            region.looked_at[0], region.name, square=has_boards(region.name), apart_from=before
        )
        if spotted is not None:
            self._searched.pop()
            return self._go_and_see(spotted)
        if not arrived:
            return None
        seen = self._inside(region) if region.shut else self._upon(region, before)
        errand.searched(region.told, region.centre, self.thing, found=seen is not None)
        return seen

    def _upon(self, region: Region, stood: tuple[Pose, ...] = ()) -> Seen | None:
        """Look along a surface; from elsewhere too where something hides it.

        Args:
            region: The surface.
            stood: From where it was looked at before.
        """
        errand, top = self.errand, region.looked_at[0]
        points = list(region.looked_at)
        if max(region.size[:2]) > WIDE_M:
            here = errand.here()
            away = np.array([top[0] - here.x, top[1] - here.y])
            side = np.array([-away[1], away[0]]) / max(1e-6, float(np.linalg.norm(away)))
            points += [
                (top[0] + sign * ASIDE_M * side[0], top[1] + sign * ASIDE_M * side[1], top[2])
                for sign in (1, -1)
            ]
        clouds = []
        for point in points * 2:  # a detector misses; an empty surface costs little to see again
            glimpsed = nearest(errand.body.eyes.look(point), self.fits, point, within_m=IN_VIEW_M)
            if glimpsed is not None:
                return self._go_and_see(glimpsed)
            clouds.append(errand.body.eyes.cloud())
        stood = (*stood, errand.here())
        if len(stood) < STOOD and self._hid(region, np.vstack(clouds)):
            arrived, spotted = self._go_looking(top, region.name, apart_from=stood)
            if spotted is not None:
                return self._go_and_see(spotted)
            if arrived:
                return self._upon(region, stood)
        if is_open(region) and max(region.size) > 0:
            self._searched[-1] = (region.centre, stood)
        errand.looked.append(LookedFor(self.thing, top, errand.now_ns, False))
        return None

    def _hid(self, region: Region, cloud: FloatArray) -> bool:
        """Whether a surface was hidden, by what is known of it now that it was looked at."""
        here = self.errand.here()
        if not hid(region, here, cloud):
            return False
        now = [r for r in self._regions(self._meant()) if r.name == region.name]
        near = min(now, key=lambda r: math.dist(r.centre, region.centre), default=region)
        same = math.dist(near.centre, region.centre) <= SAME_PIECE_M
        return hid(near if same else region, here, cloud)

    def _inside(self, region: Region) -> Seen | None:
        errand, front = self.errand, region.centre
        if not errand.open(region.name, front):
            return None
        handle = errand.progress.opened[-1][1]
        if not hinged(region.name):
            seen = self._look_into(_middle(front, handle))
        else:
            seen = self._look_past(region)
            if seen is None and errand.open(region.name, handle):  # further
                handle = errand.progress.opened[-1][1]
                seen = self._look_past(region)
        if seen is None:
            errand.close(region.name, handle)
        return seen

    def _look_into(self, middle: Vector3) -> Seen | None:
        return self.errand.look_for(self.fits, self.thing, middle, within_m=DEEP_M)

    def _look_past(self, region: Region) -> Seen | None:
        """Look behind an open door, and again from where it hides less."""
        seen = self._look_into(region.centre)
        if seen is None and self.errand.look_past(region.name):
            seen = self._look_into(region.centre)
        return seen

    def _go_and_see(self, glimpsed: Seen) -> Seen | None:
        """Go to what was glimpsed, and look whether it is what it seemed."""
        errand = self.errand
        if not errand.approach(glimpsed.position, glimpsed.label, reach=self.reach):
            errand.looked.append(LookedFor(self.thing, glimpsed.position, errand.now_ns, False))
            return None
        return errand.look_for(self.fits, self.thing, glimpsed.position)


def _away_from(seen: Seen, places: Sequence[Vector3]) -> bool:
    return all(math.dist(seen.position, place) > SAME_SPOT_M for place in places)


def _may_hold(front: Region, at: Vector3) -> bool:
    """Whether a place may lie behind the front of something shut, and not on top of it."""
    above = at[2] - front.centre[2]
    return math.dist(front.centre, at) <= INSIDE_M and above <= ABOVE_M


def _middle(a: Vector3, b: Vector3) -> Vector3:
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)
