"""`robot-memory forest`: the same forest in a terminal, as JSON, as GraphML and as a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from memory_core.interfaces.forest_page import write_page
from memory_core.interfaces.forest_view import Forest, write_graphml
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import Box, ForestNode, Observation, Place, Pose, TimeSpan

from .conftest import START_NS

WICKED = "</script><script>alert(1)</script> & \"quoted\" 'text' \x00\x1b[31m \ud800 你好"
VOID = {"meta", "input", "path", "rect", "circle"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A memory of 60 captioned places on a grid."""
    folder = tmp_path_factory.mktemp("site") / "memory"
    words = ("a red barn", "a green pond with ducks", "a car park", "an oak tree")
    with RobotMemory.open(folder, text_encoder=HashingEncoder()) as memory:
        memory.observe(
            Observation(id=f"o{n}", stamp_ns=START_NS + n * 10**10, text=f"{words[n % 4]}, {n}",
                        pose=Pose(40.0 * (n % 10), 40.0 * (n // 10)))
            for n in range(60)
        )  # fmt: skip
        memory.organise()
        nodes = memory.forest()
    return folder, nodes


@pytest.fixture
def forest(run, site):
    """Runs `forest` on it."""

    def running(*arguments):
        return run("forest", "--memory", site[0], "--encoder", "hashing", *arguments)

    return running


def leaf(number, text="", *, parent="forest:9", kind=""):
    box = Box((number, 0.0, 0.0), (number + 1.0, 1.0, 1.0))
    return ForestNode(f"place:{number}", 0, parent, (), text, 1, box, TimeSpan(1, 2), kind)


def wicked_forest():
    box = Box((0.0, 0.0, 0.0), (3.0, 1.0, 1.0))
    root = ForestNode("forest:9", 1, None, ("place:0", "place:1"), WICKED, 2, box, TimeSpan(1, 2))
    return Forest.of([root, leaf(0, WICKED, kind="<b>"), leaf(1)])


def flat(node):
    yield node
    for child in node["children"]:
        yield from flat(child)


def test_json_is_exactly_the_published_object(forest, site):
    found = forest("--json").json
    assert set(found) == {"roots"}
    told = [node for root in found["roots"] for node in flat(root)]
    assert all(set(node) == {"id", "level", "text", "count", "children"} for node in told)
    by_id = {node.id: node for node in site[1]}
    assert sorted(node["id"] for node in told) == sorted(by_id)
    for node in told:
        known = by_id[node["id"]]
        assert (node["level"], node["text"], node["count"]) == (
            known.level, known.text, known.count)  # fmt: skip
        assert tuple(child["id"] for child in node["children"]) == known.children


def test_json_counts_the_leaves_below_every_node(forest):
    for root in forest("--json").json["roots"]:
        for node in flat(root):
            leaves = [below for below in flat(node) if not below["children"]]
            assert node["count"] == len(leaves)
            assert all(below["level"] == 0 for below in leaves)


def test_depth_cuts_the_json_and_the_tree_alike(forest):
    assert [r["children"] for r in forest("--depth", 0, "--json").json["roots"]] == [[]]
    told = forest("--depth", 1, "--json").json["roots"][0]
    done = forest("--depth", 1)
    assert len(done.out.splitlines()) == 1 + len(told["children"]) + 1
    assert all(child["id"] in done.out for child in told["children"])


def test_a_node_is_shown_with_what_is_below_it(forest, site):
    inner = next(node for node in site[1] if node.level == 1)
    assert [r["id"] for r in forest("--node", inner.id, "--json").json["roots"]] == [inner.id]
    shown = forest("--node", inner.id).out
    assert set(re.findall(r"place:\d+", shown)) == set(inner.children)


def test_without_a_depth_the_tree_fits_a_page_and_says_how_to_go_deeper(forest):
    lines = forest().out.splitlines()
    assert 3 < len(lines) < 65
    assert "60 places" in lines[-1]
    assert "--depth" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "told"), [(("--node", "forest:999"), "forest:999"), (("--depth", -1), "-1")]
)
def test_what_is_not_there_is_refused(forest, arguments, told):
    done = forest(*arguments, "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")
    assert told in done.err


def test_a_page_that_cannot_be_written_is_told_in_one_line(forest):
    done = forest("--html", "/proc/nowhere/forest.html", "--json")
    assert (done.status, done.json["error"]) == (3, "file_error")


def test_a_memory_without_places_has_an_empty_forest(run, tmp_path):
    options = ("--memory", tmp_path / "m", "--encoder", "hashing")
    (tmp_path / "x.jsonl").write_text('{"id": "a", "stamp_ns": 5, "text": "nowhere"}\n')
    run("ingest", tmp_path / "x.jsonl", *options)
    assert run("forest", *options, "--json").json == {"roots": []}
    assert "No place" in run("forest", *options).out
    done = run("forest", "--html", tmp_path / "f.html", *options)
    assert done.status == 0
    assert "No place" in (tmp_path / "f.html").read_text(encoding="utf-8")


def test_graphml_holds_every_node_and_edge(forest, site, tmp_path):
    networkx = pytest.importorskip("networkx")
    target = tmp_path / "forest.graphml"
    assert forest("--graphml", target).status == 0
    graph = networkx.read_graphml(target)
    assert networkx.is_arborescence(graph)
    for node in site[1]:
        assert sorted(graph.successors(node.id)) == sorted(node.children)
        told = graph.nodes[node.id]
        assert (told["level"], told["count"], told.get("text") or "", told["start_ns"]) == (
            node.level, node.count, node.text, node.span.start_ns)  # fmt: skip
        assert told["low_x"] == pytest.approx(node.bounds.low[0])


def test_graphml_is_valid_xml_whatever_was_remembered(tmp_path):
    path = tmp_path / "forest.graphml"
    assert write_graphml(path, wicked_forest()) == 3
    names = {"g": "http://graphml.graphdrawing.org/xmlns"}
    document = ElementTree.parse(path)
    texts = [e.text for e in document.iterfind(".//g:data[@key='text']", names)]
    assert any("</script>" in (text or "") and "你好" in text for text in texts)
    keys = {key.get("id") for key in document.iterfind("g:key", names)}
    assert {e.get("key") for e in document.iterfind(".//g:data", names)} <= keys


class Page(HTMLParser):
    """Checks that tags nest, and keeps ids, links and what could load anything."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.loads, self.scripts = [], [], [], [], 0
        self.text = ""

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.scripts += tag == "script"
        if "id" in found:
            self.ids.append(found["id"])
        if "href" in found:
            self.links.append(found["href"])
        self.loads += [
            v for k, v in attrs if k in ("src", "srcset", "data", "action") or k[:2] == "on"
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text += data


def parsed(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


def test_the_page_shows_every_place_in_the_tree_and_on_a_map(forest, site, tmp_path):
    assert forest("--html", tmp_path / "forest.html").status == 0
    page = parsed(tmp_path / "forest.html")
    leaves = [node for node in site[1] if not node.children]
    assert len(page.ids) == len(set(page.ids))
    assert {f"t{n}" for n in range(len(leaves))} | {f"m{n}" for n in range(len(leaves))} <= set(
        page.ids
    )
    assert {link[1:] for link in page.links} <= set(page.ids)
    for node in site[1]:
        assert node.id in page.text


def test_the_page_loads_nothing_and_names_what_it_shows(forest, tmp_path):
    forest("--html", tmp_path / "forest.html")
    page, text = parsed(tmp_path / "forest.html"), (tmp_path / "forest.html").read_text("utf-8")
    assert page.loads == []
    assert page.scripts == 1
    assert all(link.startswith("#") for link in page.links)
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|https?://", text)
    assert "<html lang='en'>" in text
    assert "role='img' aria-labelledby='map1'" in text
    assert "prefers-color-scheme: dark" in text


def test_remembered_text_is_never_markup(tmp_path):
    write_page(tmp_path / "f.html", wicked_forest(), [], title="<i>x</i>")
    page = parsed(tmp_path / "f.html")
    assert page.scripts == 1
    assert "</script><script>alert(1)</script>" in page.text
    assert "\x1b" not in page.text


def test_a_place_is_drawn_at_its_centre(tmp_path):
    nodes = wicked_forest().nodes.values()
    box = Box((0.0, 0.0, 0.0), (3.0, 1.0, 1.0))
    known = [
        Place("place:0", "map", (0.0, 0.5, 0.0), box),
        Place("place:1", "map", (3.0, 0.5, 0.0), box),
    ]
    write_page(tmp_path / "f.html", Forest.of(list(nodes)), known, title="x")
    found = re.findall(
        r"id='m(\d)' cx='([\d.]+)' cy='([\d.]+)'", (tmp_path / "f.html").read_text("utf-8")
    )
    (_, first, y1), (_, second, y2) = sorted(found)
    assert y1 == y2
    assert float(second) - float(first) == pytest.approx(720 - 2 * 34)
