"""The documentation site: every page is in its navigation, it builds without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def listed(entry):
    """The pages that a part of the navigation names."""
    if isinstance(entry, str):
        return [entry]
    parts = entry if isinstance(entry, list) else entry.values()
    return [page for part in parts for page in listed(part)]


def built(folder):
    """Builds as `make docs` does."""
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def settings():
    yaml = pytest.importorskip("yaml", reason="the package pyyaml is not installed")
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built from copies of what it is made of."""
    pytest.importorskip("zensical", reason="the package zensical is not installed")
    pytest.importorskip("mkdocstrings", reason="the package mkdocstrings is not installed")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    shutil.copytree(DOCS, folder / "docs")
    shutil.copytree(
        ROOT / "memory_core", folder / "memory_core", ignore=shutil.ignore_patterns("*.npz", "*.js")
    )
    done = built(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_every_page_is_in_the_navigation_once(settings):
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    named = listed(settings["nav"])
    assert sorted(named) == sorted(pages)


def test_the_site_has_every_page_of_the_navigation(site, settings):
    for page in listed(settings["nav"]):
        assert (site / page).with_suffix(".html").stat().st_size > 1000


def test_every_picture_is_there(site):
    for page in site.rglob("*.html"):
        for source in re.findall(r'<img[^>]*\bsrc="([^"]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / source).exists(), f"{page.name}: {source}"


def test_a_reader_fetches_nothing_from_elsewhere(site):
    fetched = re.compile(r"<(?:script|img|iframe|link(?! rel=\"canonical\"))\b[^>]*https?://[^>]*>")
    for page in site.rglob("*.html"):
        assert fetched.findall(page.read_text(encoding="utf-8")) == [], page.name


def test_the_api_tells_arguments_results_and_errors(site):
    text = (site / "api" / "memory.html").read_text(encoding="utf-8")
    for name in ("observe", "recall", "ask", "move_anchors", "forget", "verify", "export"):
        assert f'id="memory_core.memory.RobotMemory.{name}"' in text
    for heading in ("Parameters:", "Returns:", "Raises:"):
        assert heading in text


@pytest.mark.parametrize(("link", "builds"), [("index.md", True), ("gone.md", False)])
def test_a_link_that_leads_nowhere_stops_the_build(site, tmp_path, link, builds):
    (tmp_path / "mkdocs.yml").write_text("site_name: one page\n", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n[on]({link})\n", encoding="utf-8")
    assert (built(tmp_path).returncode == 0) is builds
