"""The memory on a robot: perception_node and memory_node, and planner_node where it is wanted.

ros2 launch robot_memory_bringup robot_memory.launch.py preset:=turtlebot4
ros2 launch robot_memory_bringup robot_memory.launch.py --show-args
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = {
    "namespace": ("", "namespace of this robot; its memory_node lies in it too"),
    "use_sim_time": ("false", "follow /clock instead of the computer"),
    "preset": ("generic", "topics and frames of a robot: a file of config/, without .yaml"),
    "parameters": ("", "a YAML file of parameters of your own; wins over the preset"),
    "folder": ("~/robot-memory", "where the memory lies"),
    "encoder": ("default", "text encoder: default, hashing, none, or the name of a model"),
    "robot": ("robot", "name of this robot in the memory"),
    "session": ("", "name of this run; empty: the time it begins"),
    "allow_forget": ("false", "whether the service forget removes anything"),
    "backup_folder": ("", "backups of the service save go below it; empty: no backups"),
    "respawn": ("true", "start a node again that ended"),
    "planner": ("false", "start planner_node too, which drives the robot through nav2"),
    "log_level": ("info", "debug, info, warn, error"),
}


def generate_launch_description():
    """Declare the arguments, then start the nodes."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, meaning) in ARGUMENTS.items()
            ),
            OpaqueFunction(function=start),
        ]
    )


def is_true(text):
    """Read a switch."""
    return text.lower() == "true"


def start(context):
    """Start the nodes; each is started again where it ends."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    config = Path(get_package_share_directory("robot_memory_bringup"), "config")
    preset = config / f"{given['preset']}.yaml"
    if not preset.exists():
        known = ", ".join(sorted(path.stem for path in config.glob("*.yaml")))
        raise RuntimeError(f"there is no preset {given['preset']!r}; known: {known}")
    files = [str(preset), *([given["parameters"]] if given["parameters"] else [])]
    clock = {"use_sim_time": is_true(given["use_sim_time"])}
    own = {
        "memory_node": {
            "folder": given["folder"],
            "encoder": given["encoder"],
            "allow_forget": is_true(given["allow_forget"]),
            "backup_folder": given["backup_folder"],
        },
        "perception_node": {
            "robot": given["robot"],
            "session": given["session"],
            "spool_folder": given["folder"].rstrip("/") + "-spool",
        },
    }
    if is_true(given["planner"]):
        shared = ("folder", "encoder", "robot", "session")
        own["planner_node"] = {name: given[name] for name in shared}
    return [
        Node(
            package="robot_memory_ros",
            executable=name,
            namespace=given["namespace"],
            parameters=[*files, clock, settings],
            ros_arguments=["--log-level", given["log_level"]],
            output="screen",
            respawn=is_true(given["respawn"]),
            respawn_delay=0.5,
        )
        for name, settings in own.items()
    ]
