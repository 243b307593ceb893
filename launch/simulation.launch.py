"""A simulated home with a robot that remembers, answers and does errands.

ros2 launch robot_memory_bringup simulation.launch.py seed:=7
ros2 launch robot_memory_bringup simulation.launch.py --show-args
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetRemap

from launch import LaunchDescription

ARGUMENTS = {
    "namespace": ("", "namespace of this robot, its clock and its transforms too"),
    "folder": ("~/robot-memory-simulation", "where the memory and the robot's map lie"),
    "encoder": ("default", "text encoder: default, hashing, none, or the name of a model"),
    "robot": ("robot", "name of this robot in the memory"),
    "session": ("", "name of this run; empty: the time it begins"),
    "parameters": ("", "a YAML file of parameters of your own; see robot_memory.launch.py"),
    "seed": ("7", "which home: the same seed gives the same"),
    "rooms": ("4", "how many, from 4 to 12, hallways not counted; 0: the seed tells"),
    "floors": ("1", "one or two with a lift; 0: the seed tells"),
    "day": ("0", "people move things over night: 0 the first day"),
    "real_time_factor": ("1.0", "simulated seconds in a second, as far as the computer can"),
    "start_time": ("0.0", "the clock's first time, seconds since 1970; 0: now"),
    "log_level": ("info", "debug, info, warn, error"),
}
OF_MEMORY = ("namespace", "folder", "encoder", "robot", "session", "parameters", "log_level")
WHOLE, REAL = ("seed", "rooms", "floors", "day"), ("real_time_factor", "start_time")
SHARED = ("/tf", "/tf_static", "/clock")
"""Topics that robots in one namespace each must not share."""


def generate_launch_description():
    """Declare the arguments, then start the home and the memory."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, meaning) in ARGUMENTS.items()
            ),
            OpaqueFunction(function=start),
        ]
    )


def start(context):
    """Start the home, and the memory's nodes by their own launch file."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    share = Path(get_package_share_directory("robot_memory_bringup"))
    numbers = {name: int(given[name]) for name in WHOLE}
    numbers |= {name: float(given[name]) for name in REAL}
    apart = [SetRemap(name, name[1:]) for name in SHARED] if given["namespace"] else []
    home = Node(
        package="robot_memory_ros",
        executable="sim_node",
        namespace=given["namespace"],
        parameters=[
            numbers,
            {"maps": str(Path(given["folder"], "maps"))},
            *([given["parameters"]] if given["parameters"] else []),
        ],
        ros_arguments=["--log-level", given["log_level"]],
        output="screen",
    )
    memory = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / "launch" / "robot_memory.launch.py")),
        launch_arguments={
            **{name: given[name] for name in OF_MEMORY},
            "preset": "simulation",
            "use_sim_time": "true",
            "planner": "true",
        }.items(),
    )
    return [GroupAction([*apart, home, memory])]
