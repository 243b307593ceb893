"""A home built in PyBullet: bodies stand where they are put, nothing ever falls or drifts.

The world is kinematic: no physics is stepped; `place` and `set_openness` move bodies, and contacts
can be asked of the collision shapes that all bodies have.

Inside this package (the robot's body, the camera, the detector, scoring) a world offers

- `client`: the PyBullet client, to load a robot into and to ask contacts and rays of;
- `bodies`: PyBullet body numbers by id of a piece of furniture, a door or a thing;
- `obstacles`: the numbers of what never moves as a whole: floors, walls, furniture, doors;
- `things`: the ids of the small things in the home today, all in `bodies`;
- `joints`: for each opening's id a `Joint`: body, link, link of the handle, travel;
- `place`, `pose_of`, `openness`, `set_openness`: things by the pose of their foot's middle,
  openings by a number from 0 (closed) to 1; what lies in a drawer moves with it;
- `floors_z`: the heights of the floors; `on_change`: to be told what was moved.

None of this may reach a planner or a memory: those see frames, detections, scans and odometry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from memory_core.types import Pose
from memory_sim.worlds.bullet import connect, release
from memory_sim.worlds.home.cabinets import Opening, Surface
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.layout import STOREY_M
from memory_sim.worlds.home.people import opening_id, state
from memory_sim.worlds.home.placing import spot_pose
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.solids import Solid, shifted
from memory_sim.worlds.home.things import thing_solids

if TYPE_CHECKING:
    from memory_sim.worlds.home.camera import Camera

SLAB_M = 0.1
FARTHEST_DRAWER_M = 1.6
"""No drawer reaches further from the middle of its furniture, open."""
WALL_COLOUR = (0.90, 0.88, 0.82)


@dataclass(frozen=True, slots=True)
class Joint:
    """A drawer or door in PyBullet.

    Attributes:
        furniture: Id of what it belongs to.
        kind: How it is made.
        body: Body number.
        link: Number of the link that moves.
        handle: Number of the link that is its handle, fixed to `link`.
    """

    furniture: str
    kind: Opening
    body: int
    link: int
    handle: int


class World:
    """A plan on one of its days, built. Use as a context manager."""

    def __init__(
        self, plan: HomePlan, *, day: int = 0, width: int = 320, height: int = 240
    ) -> None:
        """Build the home as it is on the morning of a day.

        Args:
            plan: What to build.
            day: 0 the first; what people did before it is told by `people.state`.
            width: Of the camera's picture, pixels.
            height: Of the camera's picture, pixels.

        Raises:
            NotInstalled: PyBullet is missing.
            ValueError: The day is negative.
        """
        self.plan = plan
        self.state = state(plan, day)
        self.width, self.height = width, height
        self.client: Any = connect()
        self.bodies: dict[str, int] = {}
        self.joints: dict[str, Joint] = {}
        self.floors_z = tuple(floor * STOREY_M for floor in range(plan.floors))
        self.things = tuple(thing.id for thing in plan.things if thing.id in self.state.spots)
        self._drawers: dict[str, Surface] = {}
        self._openness: dict[str, float] = {}
        self._poses: dict[str, Pose] = {}
        self._inside: dict[str, str] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._camera: Camera | None = None
        self.obstacles = (*self._build_rooms(), *self._build_furniture())
        self._build_things()

    def __enter__(self) -> World:
        """The world itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release PyBullet."""
        self.close()

    def close(self) -> None:
        """Release PyBullet."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        release(self.client)

    @property
    def camera(self) -> Camera:
        """A camera in this world, of its width and height."""
        from memory_sim.worlds.home.camera import Camera

        if self._camera is None:
            self._camera = Camera(self)
        return self._camera

    def on_change(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Be told the id of each thing or opening that is moved from now on.

        Returns:
            What ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def pose_of(self, name: str) -> Pose:
        """Where a thing's foot or the frame of a piece of furniture is, map."""
        if name in self._poses:
            return self._poses[name]
        return self.plan.furniture_by_id[name].pose

    def place(self, thing: str, pose: Pose) -> None:
        """Put a thing somewhere; in a drawer it moves with the drawer from then on.

        Args:
            thing: Id.
            pose: Of the middle of its foot, map.
        """
        self._move(thing, pose)
        self._inside.pop(thing, None)
        drawer = self._drawer_at(pose)
        if drawer is not None:
            self._inside[thing] = drawer

    def inside(self, thing: str) -> str | None:
        """The opening whose drawer a thing lies in; None where it lies in none."""
        return self._inside.get(thing)

    def openness(self, opening: str) -> float:
        """How far a drawer or door is open, 0 to 1."""
        return self._openness[opening]

    def set_openness(self, opening: str, openness: float) -> None:
        """Open or close a drawer or door, and move what lies in it.

        Args:
            opening: Id.
            openness: 0 closed to 1 open; beyond that it is held at the end.
        """
        joint = self.joints[opening]
        openness = min(max(openness, 0.0), 1.0)
        shift = (openness - self._openness[opening]) * joint.kind.travel
        self._openness[opening] = openness
        self.client.resetJointState(joint.body, joint.link, openness * joint.kind.travel)
        if joint.kind.hinge is None:
            frame = self.plan.furniture_by_id[joint.furniture].pose
            along = frame.matrix()[:3, 0] * shift
            for thing in [t for t, place in self._inside.items() if place == opening]:
                pose = self._poses[thing]
                x, y, z = (np.array(pose.position) + along).tolist()
                self._move(thing, Pose(x, y, z, *pose.quaternion))
        self._told(opening)

    def opening_pose(self, opening: str) -> Pose:
        """What takes points of an opening's solids, drawn closed, to where they are in the map."""
        joint = self.joints[opening]
        frame = self.plan.furniture_by_id[joint.furniture].pose
        travelled = self._openness[opening] * joint.kind.travel
        if joint.kind.hinge is None:
            return frame.compose(Pose(x=travelled))
        x, y, z = joint.kind.hinge
        turn = Pose.from_yaw(x, y, z=z, yaw=travelled)
        return frame.compose(turn).compose(Pose(-x, -y, -z))

    def _move(self, thing: str, pose: Pose) -> None:
        self._poses[thing] = pose
        body = self.bodies[thing]
        self.client.resetBasePositionAndOrientation(body, pose.position, pose.quaternion)
        self._told(thing)

    def _told(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)

    def _drawer_at(self, pose: Pose) -> str | None:
        """The drawer a point lies in."""
        for opening, surface in self._drawers.items():
            joint = self.joints[opening]
            frame = self.plan.furniture_by_id[joint.furniture].pose
            if max(abs(frame.x - pose.x), abs(frame.y - pose.y)) > FARTHEST_DRAWER_M:
                continue
            x, y, z = self.opening_pose(opening).inverse().apply(*pose.position)
            depth = joint.kind.solids[1]
            deep = depth.centre[0] - depth.size[0] / 2 <= x <= depth.centre[0] + depth.size[0] / 2
            wide = abs(y - depth.centre[1]) <= depth.size[1] / 2
            above = z - surface.height_m
            if deep and wide and -0.02 <= above <= surface.clearance_m:
                return opening
        return None

    def _build_rooms(self) -> list[int]:
        built = []
        for room in self.plan.rooms:
            size = (*room.size, SLAB_M)
            slab = Solid("box", size, (0, 0, 0), (0.75, 0.68, 0.6))
            built.append(self._body((slab,), Pose(*room.centre, room.z - SLAB_M / 2)))
        for wall in self.plan.walls:
            part = Solid("box", wall.size, (0, 0, 0), WALL_COLOUR)
            built.append(self._body((part,), Pose(*wall.centre)))
        return built

    def _build_furniture(self) -> list[int]:
        built = []
        for piece in self.plan.furniture:
            body = self._furniture_body(piece)
            self.bodies[piece.id] = body
            built.append(body)
            for number, opening in enumerate(piece.kind.openings):
                name = opening_id(piece.id, opening.name)
                self.joints[name] = Joint(piece.id, opening, body, 2 * number, 2 * number + 1)
                self._openness[name] = 0.0
                self.set_openness(name, self.state.openness[name])
                for surface in piece.kind.surfaces if opening.hinge is None else ():
                    if surface.opening == opening.name:
                        self._drawers[name] = surface
        return built

    def _furniture_body(self, piece: Furniture) -> int:
        """A body of the fixed part and, for each opening, a link that moves and its handle."""
        p, openings = self.client, piece.kind.openings
        links = []
        for opening in openings:
            origin = opening.hinge or (0.0, 0.0, 0.0)
            back = (-origin[0], -origin[1], -origin[2])
            kind = p.JOINT_PRISMATIC if opening.hinge is None else p.JOINT_REVOLUTE
            axis = (1, 0, 0) if opening.hinge is None else (0, 0, 1)
            links.append((shifted(opening.solids, back), origin, kind, axis))
            links.append((shifted(opening.handle, back), (0.0, 0.0, 0.0), p.JOINT_FIXED, (0, 0, 1)))
        count = len(links)
        parents = [number if number % 2 else 0 for number in range(count)]
        return int(
            p.createMultiBody(
                baseMass=0, baseCollisionShapeIndex=self._collision(piece.kind.solids),
                baseVisualShapeIndex=self._visual(piece.kind.solids),
                basePosition=piece.pose.position, baseOrientation=piece.pose.quaternion,
                linkMasses=[0] * count,
                linkCollisionShapeIndices=[self._collision(link[0]) for link in links],
                linkVisualShapeIndices=[self._visual(link[0]) for link in links],
                linkPositions=[link[1] for link in links],
                linkOrientations=[(0, 0, 0, 1)] * count,
                linkInertialFramePositions=[(0, 0, 0)] * count,
                linkInertialFrameOrientations=[(0, 0, 0, 1)] * count,
                linkParentIndices=parents, linkJointTypes=[link[2] for link in links],
                linkJointAxis=[link[3] for link in links],
            )
        )  # fmt: skip

    def _build_things(self) -> None:
        for name in self.things:
            thing, spot = self.plan.thing_by_id[name], self.state.spots[name]
            drawer = self.plan.surface(spot).opening
            opening = opening_id(spot.furniture, drawer)
            slides = drawer and self.joints[opening].kind.hinge is None
            drawn = self._openness[opening] * self.joints[opening].kind.travel if slides else 0.0
            piece = self.plan.furniture_by_id[spot.furniture]
            pose = spot_pose(spot, piece, drawn_out_m=drawn)
            solids = thing_solids(thing.kind, thing.colour, thing.scale)
            self.bodies[name] = self._body(solids, pose)
            self._poses[name] = pose
            if slides:
                self._inside[name] = opening

    def _body(self, solids: Sequence[Solid], pose: Pose) -> int:
        return int(
            self.client.createMultiBody(
                baseMass=0, baseCollisionShapeIndex=self._collision(solids),
                baseVisualShapeIndex=self._visual(solids),
                basePosition=pose.position, baseOrientation=pose.quaternion,
            )
        )  # fmt: skip

    def _collision(self, solids: Sequence[Solid]) -> int:
        if not solids:
            return -1
        return int(
            self.client.createCollisionShapeArray(
                shapeTypes=[self._shape(solid) for solid in solids],
                halfExtents=[[side / 2 for side in solid.size] for solid in solids],
                radii=[solid.size[0] / 2 for solid in solids],
                lengths=[solid.size[2] for solid in solids],
                collisionFramePositions=[solid.centre for solid in solids],
            )
        )

    def _visual(self, solids: Sequence[Solid]) -> int:
        if not solids:
            return -1
        return int(
            self.client.createVisualShapeArray(
                shapeTypes=[self._shape(solid) for solid in solids],
                halfExtents=[[side / 2 for side in solid.size] for solid in solids],
                radii=[solid.size[0] / 2 for solid in solids],
                lengths=[solid.size[2] for solid in solids],
                rgbaColors=[[*solid.colour, 1] for solid in solids],
                visualFramePositions=[solid.centre for solid in solids],
            )
        )

    def _shape(self, solid: Solid) -> int:
        p = self.client
        return int(
            {"box": p.GEOM_BOX, "cylinder": p.GEOM_CYLINDER, "sphere": p.GEOM_SPHERE}[solid.shape]
        )
