#!/usr/bin/env bash
# Makes .venv with everything `make demo` and `make test` need. Runs again only where something
# that it depends on has changed.
#   PYTHON=python3.12 scripts/setup.sh     to choose the interpreter (3.11 is preferred: PyBullet
#                                          has wheels up to 3.11 and is compiled beyond)
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.set-up
wanted="${PYTHON:-} $(cat pyproject.toml constraints.txt scripts/setup.sh | cksum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}
system_packages() { # installs Debian packages where that is allowed, else prints the one line to run
    if command -v apt-get >/dev/null && as_root apt-get update -qq && \
       as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    then return 0; fi
    echo "Please run this line, then the same command again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*" >&2
    exit 1
}

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3.11 python3 python3.12 python3.13; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    system_packages python3 python3-venv
    python=python3
fi
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || {
    echo "Python 3.11 to 3.13 is needed (Open3D has no wheels beyond); $("$python" --version) was found. Set PYTHON=/path/to/python3.11" >&2
    exit 1
}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import ensurepip, venv' 2>/dev/null || system_packages "python$version-venv"
if [ "$version" != 3.11 ]; then
    # PyBullet has no wheel for this Python: it is compiled, which takes some minutes
    command -v g++ >/dev/null || system_packages g++ make
    "$python" -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
        || system_packages "python$version-dev"
    echo "PyBullet has no wheel for Python $version: it is compiled now, which takes some minutes." >&2
fi

echo "Setting up .venv with $("$python" --version) …" >&2
if [ "$(.venv/bin/python -c "import sys; print(\"%d.%d\" % sys.version_info[:2])" 2>/dev/null)" != "$version" ]; then rm -rf .venv && "$python" -m venv .venv; fi
pip=(.venv/bin/python -m pip --disable-pip-version-check)
# torch from the registry brings several GB of CUDA; the CPU build is taken where it can be had
torch_index=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
extra=()
if .venv/bin/python - "$torch_index" <<'PY' 2>/dev/null
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/torch/", timeout=8).close()
PY
then extra=(--extra-index-url "$torch_index"); fi
"${pip[@]}" install -q --progress-bar off -c constraints.txt "${extra[@]}" torch setuptools wheel
"${pip[@]}" install -q --progress-bar off -c constraints.txt "${extra[@]}" -e '.[cpu,mcp,perception,sim,web,dev]'
# OpenGL and OpenMP that Open3D links against
.venv/bin/python -c 'import open3d' 2>/dev/null || system_packages libgl1 libegl1 libgomp1 libusb-1.0-0 libx11-6
.venv/bin/python -c 'import open3d, faiss, pybullet' >/dev/null
echo "$wanted" > "$stamp"
echo "Set up. Activate it with: source .venv/bin/activate" >&2
