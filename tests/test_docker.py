"""The container files: linted, and naming only what is in the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker/Dockerfile"
COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())


def test_hadolint_finds_nothing_in_the_dockerfile():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", DOCKERFILE],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_image_copies_is_there_and_it_does_not_run_as_root():
    lines = DOCKERFILE.read_text().splitlines()
    copied = [line.split()[2:-1] for line in lines if line.startswith("COPY")]
    assert len(copied) >= 5
    for name in (path for paths in copied for path in paths):
        assert (ROOT / name).exists(), name
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users and users[-1] not in ("root", "0", "0:0")


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_starts_what_there_is_and_has_a_health_check(name):
    service = COMPOSE["services"][name]
    command = str(service.get("command", ""))
    for launch in re.findall(r"\S+\.launch\.py", command):
        assert (ROOT / "launch" / launch).exists()
    in_image = "HEALTHCHECK" in DOCKERFILE.read_text()
    assert "healthcheck" in service or (in_image and "viewer" not in name)
    assert service["build"]["dockerfile"] == "docker/Dockerfile"
    assert service.get("privileged") is None


def test_the_viewer_is_shown_on_this_computer_alone():
    assert COMPOSE["services"]["viewer"]["ports"] == ["127.0.0.1:8766:8766"]


@pytest.mark.parametrize("script", ["docker/entrypoint.sh", "scripts/ros.sh", "scripts/setup.sh"])
def test_a_script_is_one_that_bash_can_read_and_run(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", path], check=False, timeout=10).returncode == 0
