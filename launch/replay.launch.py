"""A bag through the live stack: what a robot would have remembered of it.

ros2 launch robot_memory_bringup replay.launch.py bag:=my_bag folder:=~/replayed
It ends when the bag does. To read a bag without its timing: `robot-memory ingest`, or the action
/ingest.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = {
    "bag": (None, "a rosbag2 folder, or a .mcap or .db3 file"),
    "folder": (None, "where the memory lies"),
    "rate": ("1.0", "seconds of the bag in a second"),
    "preset": ("generic", "topics and frames of the robot: a file of config/, without .yaml"),
    "parameters": ("", "a YAML file of parameters of your own; see robot_memory.launch.py"),
    "encoder": ("default", "text encoder: default, hashing, none, or the name of a model"),
    "robot": ("robot", "name of the robot in the memory"),
    "session": ("", "name of the run; empty: the bag's"),
    "log_level": ("info", "debug, info, warn, error"),
}


def generate_launch_description():
    """Declare the arguments, then start the nodes and the player."""
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
    """Start the stack of a robot with the bag's clock; all of it ends with the bag."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    bag = Path(given["bag"]).expanduser()
    if not bag.exists():
        raise RuntimeError(f"there is no bag {bag}")
    stack = Path(get_package_share_directory("robot_memory_bringup"), "launch")
    passed = ("folder", "preset", "parameters", "encoder", "robot", "log_level")
    player = Node(
        package="robot_memory_ros",
        executable="replay_node",
        parameters=[{"bag": str(bag), "rate": float(given["rate"])}],
        output="screen",
    )
    return [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(stack / "robot_memory.launch.py")),
            launch_arguments={
                **{name: given[name] for name in passed},
                "session": given["session"] or bag.stem,
                "use_sim_time": "true",
                "respawn": "false",
            }.items(),
        ),
        player,
        RegisterEventHandler(
            OnProcessExit(
                target_action=player,
                on_exit=[EmitEvent(event=Shutdown(reason="the bag ended"))],
            )
        ),
    ]
