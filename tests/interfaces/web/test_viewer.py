"""The viewer as people use it: headless Chromium at three sizes, over a home of two floors."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from memory_core.interfaces.web.views import STATIC
from memory_core.types import Pose, Sighting

from ..serving import opened
from .conftest import app_over, listening_server
from .home import MUG_AFTER, MUG_BEFORE, SECOND, looks, make_home

SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run",
]  # fmt: skip
SOURCES = Path(__file__).parents[3] / "web"
LOOKS = list(looks())
LARGEST_BYTES = 300_000
Open = Callable[..., Any]


# -- the built page ------------------------------------------------------------------------------


def test_the_built_page_belongs_to_its_sources():
    names = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    names += [
        p.relative_to(SOURCES).as_posix() for p in (SOURCES / "src").rglob("*") if p.is_file()
    ]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\0".encode() + (SOURCES / name).read_bytes() + b"\0")
    built = (STATIC / "sources.sha256").read_text(encoding="utf-8").strip()
    assert built == digest.hexdigest(), "the page is older than web/: run `make web`"


def test_the_built_page_is_small_and_loads_nothing_from_elsewhere():
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LARGEST_BYTES
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "<script>" not in page
    assert "style=" not in page


def test_the_licences_of_what_is_built_in_are_told():
    used = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    told = (STATIC / "licences.txt").read_text(encoding="utf-8").lower()
    assert all(name in told for name in used)
    assert "permission is hereby granted" in told


# -- in a browser --------------------------------------------------------------------------------


def chromium() -> str:
    """Where Chromium is; skips, naming it, where it is missing."""
    named = os.environ.get("ROBOT_MEMORY_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium or google-chrome on PATH (set ROBOT_MEMORY_CHROMIUM)")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as drivers:
        browser = drivers.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home") / "memory")


@contextmanager
def visible(folder: Path, *, read_only: bool = True) -> Iterator[tuple[str, Any]]:
    """A memory behind an address."""
    with (
        opened(folder, read_only=read_only) as memory,
        listening_server(app_over(memory)) as port,
    ):
        yield f"http://127.0.0.1:{port}/", memory


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with visible(home) as (address, _):
        yield address


@pytest.fixture
def page_at(browser: Any) -> Iterator[Open]:
    """Opens an address at a size; what the page loads from elsewhere or complains of fails."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def opening(address: str, size: str = "desktop", **options: Any) -> Any:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=size == "phone",
            reduced_motion="reduce", **options,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda m: wrong.append(m.text) if "Security Policy" in m.text else None)
        page.on("request", lambda r: None if _own(r.url, address) else wrong.append(r.url))
        page.goto(address)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert not wrong


def _own(url: str, address: str) -> bool:
    return url.startswith((address.split("#")[0], "blob:", "data:"))


def ask(page: Any, words: str) -> str:
    page.get_by_label("Ask what the robot remembers").fill(words)
    page.keyboard.press("Enter")
    return str(page.locator("#said").inner_text())


def pixel_of(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a position of the map is on the screen, from the camera that the map tells."""
    canvas = page.locator("#map")
    middle_x, middle_y, scale = map(float, canvas.get_attribute("data-camera").split())
    box = canvas.bounding_box()
    return (
        box["x"] + box["width"] / 2 + (x - middle_x) * scale,
        box["y"] + box["height"] / 2 + (middle_y - y) * scale,
    )


def picture(page: Any, path: Path, around: tuple[float, float], reach: int) -> Image.Image:
    x, y = around
    clip = {"x": x - reach, "y": y - reach, "width": 2 * reach, "height": 2 * reach}
    page.screenshot(path=path, clip=clip)
    return Image.open(path).convert("RGB")


def accent_pixels(image: Image.Image) -> int:
    """How many pixels have the colour of a pin in light colours, #2457c5."""
    away = np.abs(np.asarray(image, np.int64) - (0x24, 0x57, 0xC5)).sum(axis=2)
    return int((away < 24).sum())


@pytest.mark.parametrize("size", SIZES)
def test_a_newcomer_asks_for_a_thing_and_sees_where_it_is(page_at, address, size, tmp_path):
    page = page_at(address, size)
    page.get_by_role("button", name="Where is the").first.wait_for()  # a question to try is there
    assert "bedroom" in ask(page, "red mug")  # a name alone is enough
    evidence = page.locator(".card").first
    assert "red mug" in evidence.inner_text()
    assert evidence.locator(".way").inner_text().split("\n")[1] == "Everywhere"
    floor = page.get_by_role("button", name="Floor 2", exact=True).first
    assert floor.get_attribute("aria-pressed") == "true"
    page.locator("#map[data-still='1']").wait_for()
    x, y = pixel_of(page, *MUG_AFTER[:2])
    pin = picture(page, tmp_path / "pin.png", (x, y - 20), 14)
    assert accent_pixels(pin) > 100
    away = picture(page, tmp_path / "away.png", pixel_of(page, 3.2, 3.6), 14)
    assert accent_pixels(away) < 20


@pytest.mark.parametrize("size", SIZES)
def test_scrubbing_through_time_brings_back_where_things_were(page_at, address, size):
    page = page_at(address, size)
    page.locator(".node").first.wait_for()
    page.get_by_role("tab", name="Things").click()
    mug = page.locator(".things li", has_text="red mug")
    assert "bedroom" in mug.inner_text()
    end = page.get_by_role("slider", name="Shown until")
    end.focus()
    for _ in range(6):
        page.keyboard.press("PageDown")
    assert "10:0" not in end.get_attribute("aria-valuetext")  # before the second visit
    assert "kitchen" in mug.inner_text()
    page.get_by_role("button", name="All times").click()
    assert "bedroom" in mug.inner_text()


def test_dragging_over_the_timeline_shows_that_stretch_alone(page_at, address, tmp_path):
    page = page_at(address)
    page.locator("#map[data-points]").wait_for()
    page.locator("#map[data-still='1']").wait_for()
    before = picture(page, tmp_path / "all.png", pixel_of(page, 4.3, 1.0), 40)
    track = page.locator(".track").bounding_box()
    y = track["y"] + 15
    page.mouse.move(track["x"] + 0.3 * track["width"], y)
    page.mouse.down()
    page.mouse.move(track["x"] + 0.6 * track["width"], y, steps=4)
    page.mouse.up()
    start, end = (
        float(page.get_by_role("slider", name=name).get_attribute("aria-valuenow"))
        for name in ("Shown from", "Shown until")
    )
    whole = (LOOKS[-1].stamp_ns - LOOKS[0].stamp_ns) / 1e6
    assert start == pytest.approx(LOOKS[0].stamp_ns / 1e6 + 0.3 * whole, abs=0.02 * whole)
    assert end == pytest.approx(LOOKS[0].stamp_ns / 1e6 + 0.6 * whole, abs=0.02 * whole)
    after = picture(page, tmp_path / "none.png", pixel_of(page, 4.3, 1.0), 40)
    assert ImageChops.difference(before, after).getbbox()  # nobody drove there in that hour


@pytest.mark.parametrize("size", SIZES)
def test_opening_a_node_of_the_forest_goes_there_on_the_map(page_at, address, size):
    page = page_at(address, size)
    page.locator(".branch > .node", has_text="Floor 2").click()
    assert page.locator(".crumbs [aria-current]").inner_text() == "Floor 2"
    floor = page.get_by_role("button", name="Floor 2", exact=True).first
    assert floor.get_attribute("aria-pressed") == "true"
    page.locator(".branch > .node", has_text="Bedroom").first.click()
    page.get_by_role("heading", name="Bedroom").wait_for()
    assert page.locator(".node.chosen").count() == 1


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """The address of a memory that may be written, and the memory."""
    with visible(make_home(tmp_path_factory.mktemp("live") / "memory"), read_only=False) as both:
        yield both


@pytest.mark.parametrize("size", SIZES)
def test_what_a_robot_observes_appears_within_a_second(page_at, streaming, size):
    address, memory = streaming
    page = page_at(address, size)
    page.locator(".live.on").wait_for()
    page.locator(".node").first.wait_for()
    page.locator("#map[data-points]").wait_for()
    label = f"<img src={size} onerror=alert(1)>"
    where = (float(len(size)) / 4, 2.0, 0.5)
    new = replace(
        LOOKS[0], id=size, stamp_ns=memory.store.newest_ns() + SECOND, keyframe=None,
        pose=Pose(2.0, 2.0, 0.0), sightings=(Sighting(label, where),),
    )  # fmt: skip
    memory.observe(new)
    begun = time.monotonic()
    page.locator(".live[data-arrived='1']").wait_for(timeout=1_000)
    assert time.monotonic() - begun < 1.0
    page.get_by_role("tab", name="Things").click()
    page.locator(".things b", has_text=f"<img src={size}").wait_for()  # words stay words
    assert page.locator(f"img[src='{size}']").count() == 0


def test_a_thing_shows_where_it_was_and_leads_to_its_place(page_at, address, tmp_path):
    page = page_at(f"{address}#thing=entity:4")
    stays = page.locator(".stays li")
    stays.first.wait_for()
    assert [stay.split("\n")[0] for stay in stays.all_inner_texts()] == ["Bedroom", "Kitchen"]
    page.get_by_role("button", name="Floor 1", exact=True).click()
    page.locator("#map[data-still='1']").wait_for()
    ghost = picture(page, tmp_path / "ghost.png", pixel_of(page, *MUG_BEFORE[:2]), 9)
    assert accent_pixels(ghost) > 10
    page.mouse.click(*pixel_of(page, 2.0, 2.0))  # where it stood to see the mug
    page.get_by_role("heading", name="Kitchen").wait_for()


def test_everything_is_reached_by_the_keyboard(page_at, address):
    page = page_at(address)
    page.locator(".node").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("stove")
    page.keyboard.press("Enter")
    assert "kitchen" in page.locator("#said").inner_text()
    page.locator("#map").focus()
    page.locator("#map[data-still='1']").wait_for()
    before = [float(part) for part in page.locator("#map").get_attribute("data-camera").split()]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.locator(f"#map:not([data-camera='{' '.join(map(str, before))}'])").wait_for()
    page.locator("#map[data-still='1']").wait_for()
    after = [float(part) for part in page.locator("#map").get_attribute("data-camera").split()]
    assert after[0] > before[0]
    assert after[2] > before[2]
    page.keyboard.press("Enter")
    page.locator(".thing h2").wait_for()
    page.keyboard.press("Escape")
    page.locator("#said").wait_for()


def test_nothing_is_wider_than_a_phone(page_at, address):
    page = page_at(address, "phone")
    ask(page, "What is in the kitchen?")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]


def test_a_link_shows_the_same_to_others(page_at, address):
    first = page_at(address)
    ask(first, "Where is the red mug?")
    first.wait_for_url("**/#q=*")
    second = page_at(first.url)
    assert second.locator("#said").inner_text() == first.locator("#said").inner_text()


def test_colours_follow_the_system_until_a_person_chooses(page_at, address):
    page = page_at(address, color_scheme="dark")

    def shade() -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour[4:-1].split(","))

    assert shade() < 150
    page.get_by_role("button", name="Use light colours").click()
    assert shade() > 600
    page.reload()
    assert shade() > 600


def test_an_empty_memory_says_what_to_do_next(page_at, tmp_path):
    opened(tmp_path / "empty", read_only=False).close()
    with visible(tmp_path / "empty") as (address, _):
        page = page_at(address)
        page.get_by_role("heading", name="Nothing is remembered yet").wait_for()
        assert "robot-memory ingest" in page.locator(".empty").inner_text()


def test_a_server_that_is_gone_is_told_with_what_to_do(page_at, address):
    page = page_at(address)
    page.locator(".node").first.wait_for()
    page.route("**/api/ask", lambda route: route.abort())
    page.get_by_label("Ask what the robot remembers").fill("red mug")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    assert "Is robot-memory serve still running?" in alert.inner_text()
    assert page.get_by_role("button", name="Ask", exact=True).is_enabled()


def test_a_server_that_refuses_is_not_asked_over_and_over(page_at, address):
    page = page_at(address)
    asked = []

    def refuse(route: Any) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=429, content_type="application/problem+json", body="{}")

    page.route("**/api/view/points*", refuse)
    page.reload()
    while len(asked) < 4:  # the page before the reload may have asked, and a resize asks anew
        page.wait_for_timeout(20)
    assert asked[3] - asked[0] > 1.0  # it is asked again, and not at once


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_axe_finds_no_barrier(page_at, address, size, scheme):
    pytest.importorskip("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = page_at(address, size, color_scheme=scheme)
    page.locator(".node").first.wait_for()
    axe = Axe()
    for state in ("welcome", "answer", "things"):
        if state == "answer":
            ask(page, "red mug")
        elif state == "things":
            page.get_by_role("tab", name="Things").click()
        found = axe.run(page)
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"


@pytest.mark.parametrize("size", SIZES)
def test_pictures_for_the_documentation(page_at, home, size):
    """Written where ROBOT_MEMORY_SCREENSHOTS says; of another memory where _MEMORY is set, too."""
    target = os.environ.get("ROBOT_MEMORY_SCREENSHOTS")
    if not target:
        pytest.skip("no folder for pictures (set ROBOT_MEMORY_SCREENSHOTS)")
    other = os.environ.get("ROBOT_MEMORY_SCREENSHOTS_MEMORY")
    from memory_core.memory import RobotMemory

    folder = Path(other) if other else home
    with (
        RobotMemory.open(folder, read_only=True) if other else opened(folder) as memory,
        listening_server(app_over(memory)) as port,
    ):
        scheme = "dark" if size == "tablet" else "light"
        page = page_at(f"http://127.0.0.1:{port}/", size, color_scheme=scheme)
        page.set_default_timeout(60_000)
        page.locator(".node").first.wait_for()
        page.locator("#map[data-points]").wait_for()
        page.locator("#map[data-still='1']").wait_for()
        if size == "desktop":
            small(page, Path(target) / "viewer-map.png")
        ask(page, "Where is the red mug?")
        page.locator(".weight").first.wait_for()
        page.locator(".cards img").first.wait_for()
        page.locator("#map[data-still='1']").wait_for()
        small(page, Path(target) / f"viewer-{size}.png")


def small(page: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    image = Image.open(path).convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
