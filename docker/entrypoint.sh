#!/usr/bin/env bash
# Runs a command with ROS 2 and the memory's workspace.
set -eo pipefail
export PATH=/robot-memory/ros_ws/.venv/bin:/robot-memory/.venv/bin:$PATH
# shellcheck disable=SC1091
source /opt/ros/jazzy/setup.bash
# shellcheck disable=SC1091
source /robot-memory/ros_ws/install/setup.bash
exec "$@"
