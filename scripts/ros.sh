#!/usr/bin/env bash
# Builds and tests the ROS 2 packages of ros_ws.
#   scripts/ros.sh build     colcon build into ros_ws/install
#   scripts/ros.sh test      build, then every test under real ROS 2, then their results
# ROS_ROOT says where ROS 2 is (default: /opt/ros/$ROS_DISTRO, or /opt/ros/jazzy).
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
task=${1:-build}

root=${ROS_ROOT:-/opt/ros/${ROS_DISTRO:-jazzy}}
if [ ! -f "$root/setup.bash" ]; then
    echo "ROS 2 was not found in $root. Install it (https://docs.ros.org/en/jazzy/Installation.html)," >&2
    echo "or say where it is: ROS_ROOT=/path/to/ros make test-ros" >&2
    exit 1
fi

made_for=$(find "$root/lib" -maxdepth 1 -name 'python3.*' -printf '%f\n' | head -n 1)
found=$(.venv/bin/python -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
if [ "$made_for" != "$found" ]; then
    echo "ROS in $root is made for $made_for, .venv has $found. Please run: rm -rf .venv && PYTHON=$made_for make setup" >&2
    exit 1
fi

# ROS's Python tools need versions of their own (pytest below 8.4): they lie in ros_ws/.venv, and
# the memory with all it needs is taken from .venv
tools=ros_ws/.venv
wanted="$(.venv/bin/python --version) $(cat ros_ws/requirements.txt | cksum)"
if [ "$(cat $tools/.set-up 2>/dev/null)" != "$wanted" ]; then
    echo "Setting up $tools …" >&2
    rm -rf $tools
    .venv/bin/python -m venv $tools
    $tools/bin/python -m pip --disable-pip-version-check install -q -r ros_ws/requirements.txt
    site=$($tools/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/memory.pth"
    printf '%s\n' "$repository" "$repository/sim" >> "$site/memory.pth"
    echo "$wanted" > $tools/.set-up
fi

set +u
# shellcheck disable=SC1091
source $tools/bin/activate
# shellcheck disable=SC1091
source "$root/setup.bash"
set -u
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
cd ros_ws
python -m colcon build --merge-install --event-handlers console_cohesion- \
    --cmake-args "-DPython3_EXECUTABLE=$(command -v python)" -DCMAKE_BUILD_TYPE=Release
[ "$task" = test ] || exit 0

set +u
# shellcheck disable=SC1091
source install/setup.bash
set -u
export ROS_LOG_DIR=$PWD/log/ros
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$((RANDOM % 100 + 1))}
# a launch that never ends is a failure, not a wait
timeout -k 10 "${ROS_TEST_LIMIT_S:-900}" python -m colcon test --merge-install --executor sequential \
    --return-code-on-test-failure --event-handlers console_direct+ || failed=$?
python -m colcon test-result --all --verbose
exit "${failed:-0}"
