"""Joints and tool: against PyBullet's own kinematics of the robot's description."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_sim.worlds.table.kinematics import joints_towards, tool_pose
from memory_sim.worlds.table.robot import HOME
from memory_sim.worlds.table.world import TableWorld


@pytest.fixture(scope="module")
def arm():
    world = TableWorld()
    world.reset(np.random.default_rng(0))
    yield world.arm
    world.close()


def test_the_tool_is_where_pybullet_says_it_is(arm):
    joints, _ = arm.joints()
    said, computed = arm.tool(), tool_pose(joints)
    assert math.dist(said.position, computed.position) < 1e-4
    assert abs(np.dot(said.quaternion, computed.quaternion)) > 1 - 1e-7


def test_joints_towards_a_pose_lead_the_tool_there():
    random = np.random.default_rng(1)
    for _ in range(20):
        joints = HOME + random.uniform(-0.2, 0.2, 7)
        aim = tool_pose(joints + random.uniform(-0.05, 0.05, 7))
        found = joints_towards(aim, joints, posture=HOME, lean=0.0)
        reached = tool_pose(found)
        assert math.dist(reached.position, aim.position) < 5e-4
        assert abs(np.dot(reached.quaternion, aim.quaternion)) > 1 - 1e-6


def test_the_spare_joint_leans_to_the_posture_and_leaves_the_tool_alone():
    start = HOME + np.array((0.3, 0.0, -0.3, 0.0, 0.2, 0.0, 0.0))
    aim, joints = tool_pose(start), start
    for _ in range(60):
        joints = joints_towards(aim, joints, posture=HOME, lean=0.2)
    assert math.dist(tool_pose(joints).position, aim.position) < 2e-3
    assert np.linalg.norm(joints - HOME) < np.linalg.norm(start - HOME)
