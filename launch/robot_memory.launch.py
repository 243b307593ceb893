"""The memory on a robot: perception_node and memory_node, and planner_node where it is wanted.

ros2 launch robot_memory_bringup robot_memory.launch.py preset:=turtlebot4
ros2 launch robot_memory_bringup robot_memory.launch.py --show-args
"""

import tempfile
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = {
    "namespace": ("", "namespace of this robot; its memory_node lies in it too"),
    "use_sim_time": ("false", "follow /clock instead of the computer"),
    "preset": ("generic", "topics and frames of a robot: a file of config/, without .yaml"),
    "parameters": (
        "",
        "a YAML file of parameters of your own; wins over the preset and over what is set here by "
        "default, not over arguments that are given",
    ),
    "folder": ("~/robot-memory", "where the memory lies"),
    "encoder": ("default", "text encoder: default, hashing, none, or the name of a model"),
    "robot": ("robot", "name of this robot in the memory"),
    "session": ("", "name of this run; empty: the time it begins"),
    "allow_forget": ("false", "whether the service forget removes anything"),
    "backup_folder": ("", "backups of the service save go below it; empty: no backups"),
    "respawn": ("true", "start a node again that ended"),
    "planner": ("false", "start planner_node too, which drives the robot through nav2"),
    "spool_folder": ("", "keeps what is not on disk yet over a restart; empty: FOLDER-spool"),
    "global_tf": (
        "false",
        "in a namespace: all robots share one /tf, with frames of different names; else each has "
        "its own, as nav2 has it",
    ),
    "log_level": ("info", "debug, info, warn, error"),
}
PERCEIVED = {
    "image_topic": "colour pictures",
    "depth_topic": "depth pictures, registered to the colour ones",
    "camera_info_topic": "the camera",
    "detections_topic": "vision_msgs/Detection3DArray of a detector",
    "detections_2d_topic": "vision_msgs/Detection2DArray of a detector",
    "caption_topic": "std_msgs/String, words for people",
    "scan_topic": "sensor_msgs/LaserScan",
    "odometry_topic": "nav_msgs/Odometry",
    "path_topic": "nav_msgs/Path of the whole way as SLAM corrects it",
    "initial_pose_topic": "where somebody says that the robot is",
    "battery_topic": "sensor_msgs/BatteryState",
    "diagnostics_topic": "diagnostic_msgs/DiagnosticArray of the robot",
    "map_frame": "fixed frame of a robot that knows where it is",
    "base_frame": "frame of the robot",
}
"""What perception_node listens to and by which frames, where it is not as the preset says."""
NONE = "none"
ARGUMENTS |= {
    name: ("", f"{meaning}; empty: as the preset says; {NONE}: none")
    for name, meaning in PERCEIVED.items()
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
    clock = {"use_sim_time": is_true(given["use_sim_time"])}
    by_default = settings_of({name: default for name, (default, _) in ARGUMENTS.items()})
    apart = [] if is_true(given["global_tf"]) else [("/tf", "tf"), ("/tf_static", "tf_static")]
    nodes = []
    for name, settings in settings_of(given).items():
        if name == "planner_node" and not is_true(given["planner"]):
            continue
        chosen = {key: v for key, v in settings.items() if v != by_default[name].get(key)}
        files = [given["parameters"]] if given["parameters"] else []
        files += [written(f"{given['namespace']}/{name}", chosen)] if chosen else []
        nodes.append(
            Node(
                package="robot_memory_ros",
                executable=name,
                namespace=given["namespace"],
                parameters=[str(preset), clock, settings, *files],
                remappings=apart,
                ros_arguments=["--log-level", given["log_level"]],
                output="screen",
                respawn=is_true(given["respawn"]),
                respawn_delay=0.5,
            )
        )
    return nodes


def written(name, settings):
    """Write parameters of one node by its full name, which no other file can be closer to."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="robot-memory-", suffix=".yaml", delete=False, encoding="utf-8"
    ) as file:
        yaml.safe_dump({f"/{name.strip('/')}": {"ros__parameters": settings}}, file)
    return file.name


def settings_of(given):
    """Turn arguments into the parameters of each node."""
    listened = {
        name: "" if given[name] == NONE else given[name] for name in PERCEIVED if given[name]
    }
    return {
        "memory_node": {
            "folder": given["folder"],
            "encoder": given["encoder"],
            "allow_forget": is_true(given["allow_forget"]),
            "backup_folder": given["backup_folder"],
        },
        "perception_node": {
            "robot": given["robot"],
            "session": given["session"],
            "spool_folder": given["spool_folder"] or given["folder"].rstrip("/") + "-spool",
            **listened,
        },
        "planner_node": {name: given[name] for name in ("folder", "encoder", "robot", "session")},
    }
