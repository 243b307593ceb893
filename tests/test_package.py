"""The package as a whole: what importing it costs, its names, extras, layers and errors."""

from __future__ import annotations

import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import memory_core
from memory_core import errors

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch", "open3d", "transformers", "sentence_transformers", "pybullet", "rclpy", "fastapi",
    "sklearn", "cv2", "scipy", "matplotlib", "rosbags", "mcap", "mcp",
)  # fmt: skip


def loaded_after(code: str, folder: Path) -> set[str]:
    """The heavy modules that are loaded after some code ran in a process of its own."""
    script = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=folder,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize(
    "code",
    [
        "import memory_core",
        "import memory_core; memory_core.RobotMemory, memory_core.Observation, memory_core.ingest",
        "import memory_core.interfaces.cli as cli; cli.build_parser()",
        "from memory_core import RobotMemory, Observation\n"
        "with RobotMemory.open('m', text_encoder=None) as memory:\n"
        "    memory.observe(Observation(id='a', stamp_ns=1, text='a mug'))\n"
        "    assert memory.recall('mug').evidence\n"
        "    memory.ask('where is the mug?')",
    ],
    ids=["the package", "its names", "the command line", "a memory without an encoder"],
)
def test_nothing_heavy_is_loaded_for(code, tmp_path):
    assert loaded_after(code, tmp_path) == set()


@pytest.mark.parametrize("name", memory_core.__all__)
def test_a_public_name_is_there_and_explained(name):
    value = getattr(memory_core, name)
    assert inspect.getdoc(value)
    assert name in dir(memory_core)


def test_public_names_are_what_an_import_brings_whatever_was_loaded_before(tmp_path):
    code = (
        "import types, memory_core.memory, memory_core.ingestion\n"
        "for name in memory_core.__all__:\n"
        "    exec(f'from memory_core import {name} as found')\n"
        "    assert not isinstance(found, types.ModuleType), name"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)


def test_public_names_are_sorted_and_unknown_ones_are_refused():
    assert list(memory_core.__all__) == sorted(memory_core.__all__)
    with pytest.raises(AttributeError, match="no attribute 'bogus'"):
        memory_core.bogus  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert memory_core.__version__ == project["version"]


def test_the_extras_have_the_names_the_specification_gives():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert {"cpu", "gpu", "perception", "sim", "ros", "web", "dev"} <= set(extras)
    heavy = {"torch", "open3d", "transformers", "pybullet", "fastapi", "scikit-learn"}
    assert not any(item.split(">")[0].split("=")[0] in heavy for item in project["dependencies"])


def test_layers_import_inward_only():
    tool = Path(sys.executable).parent / "lint-imports"
    if not tool.exists():
        pytest.skip(f"{tool} is not installed; it comes with: pip install 'robot-memory[dev]'")
    done = subprocess.run(
        [tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def tree(kind: type = errors.RobotMemoryError) -> list[type]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


OURS = [kind for kind in tree() if kind.__module__ == errors.__name__]


def test_every_error_has_a_code_of_its_own_and_a_status():
    codes = [vars(kind)["code"] for kind in OURS]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code.islower() for code in codes)
    assert all(kind.exit_status in range(1, 9) and kind.exit_status != 2 for kind in OURS)


def test_errors_are_drawn_in_the_docstring_as_the_tree_they_are():
    drawn = [line for line in errors.__doc__.splitlines() if "──" in line]
    parents, found = [errors.RobotMemoryError.__name__], {}
    for line in drawn:
        depth = (line.index("──") - 1) // 4 + 1
        name = line.split("── ")[1].split()[0]
        parents[depth:] = [name]
        found[name] = parents[depth - 1]
    actual = {kind.__name__: kind.__base__.__name__ for kind in OURS[1:]}
    assert found == actual
    assert all(len(line.split("── ")[1].split(maxsplit=1)) == 2 for line in drawn)


def test_no_error_is_defined_elsewhere():
    import memory_core.memory  # noqa: F401 - loads what a memory is made of

    assert [kind for kind in tree() if kind.__module__ != errors.__name__] == []
