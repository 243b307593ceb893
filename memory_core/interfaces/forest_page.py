"""The semantic forest as one HTML page: a tree to open and close, beside a map of the places.

The page needs no network and no server. Everything can be reached in the tree, with the keyboard
and read aloud; the map shows the same places to the eye. What was remembered is text, never markup,
and the page's own policy lets nothing be loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from memory_core.interfaces.drawing import PALETTE, Plan, safe, shortened
from memory_core.interfaces.forest_view import Forest, standing, summary_line
from memory_core.types import ForestNode, Place, Vector3

WIDTH, HEIGHT, MARGIN = 720.0, 900.0, 34.0
NAMED = 40
"""So many places, at most, are named on a map."""
LEAF_WORDS = 400
NODE_WORDS = 200
_BESIDE = Path(__file__).parent / "page"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def write_page(path: Path, forest: Forest, places: Sequence[Place], *, title: str) -> None:
    """Write the page.

    Args:
        path: The HTML file.
        forest: What is shown.
        places: The memory's places; a leaf that is none of them is drawn amid its bounds.
        title: Of the page, in plain text.
    """
    known = {place.id: place for place in places}
    numbers = {
        node.id: number
        for number, node in enumerate(node for node in forest.shown() if not node.children)
    }
    style = (_BESIDE / "forest.css").read_text(encoding="utf-8")
    script = (_BESIDE / "forest.js").read_text(encoding="utf-8")
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{safe(title)}</title><style>{style}</style></head><body>"
        f"<header><h1>{safe(title)}</h1><p>{safe(summary_line(forest))}. "
        "Choose a node to see on the map what lies below it.</p>"
        "<label for='words'>Find places</label><input id='words' type='search'>"
        "<output for='words' aria-live='polite'></output></header>"
        f"<main><section class='tree' aria-label='Tree'>{_tree(forest, numbers)}</section>"
        f"<section class='maps' aria-label='Maps'>{_maps(forest, known, numbers)}</section></main>"
        f"<script>{script}</script></body></html>\n"
    )
    path.write_text(page, encoding="utf-8")


def _tree(forest: Forest, numbers: Mapping[str, int]) -> str:
    if not forest.roots:
        return "<p>No place is known yet.</p>"
    parts = ["<ul>"]
    for root in forest.roots:
        colours = _colours(forest, root)
        parts.append(_branch(forest, root, numbers, colours, opened=2))
    return "".join((*parts, "</ul>"))


def _colours(forest: Forest, root: ForestNode) -> dict[str, str]:
    """A colour for each child of a root."""
    return {
        child.id: PALETTE[number % len(PALETTE)]
        for number, child in enumerate(forest.children(root))
    }


def _branch(
    forest: Forest,
    node: ForestNode,
    numbers: Mapping[str, int],
    colours: Mapping[str, str],
    *,
    opened: int,
) -> str:
    """A node with all below it; the first levels are open."""
    kind = f"<span class='kind'>{safe(node.kind)}</span> " if node.kind else ""
    swatch = ""
    if node.id in colours:
        swatch = f"<span class='swatch' style='background:{colours[node.id]}'></span> "
    if not node.children:
        number = numbers[node.id]
        text = safe(shortened(node.text, LEAF_WORDS)) or "a place without words"
        return (
            f"<li><a class='leaf' id='t{number}' href='#m{number}'>{swatch}{kind}{text} "
            f"<span class='level'>{safe(node.id)}</span></a></li>"
        )
    below = "".join(
        _branch(forest, child, numbers, colours, opened=opened - 1)
        for child in forest.children(node)
    )
    return (
        f"<li><details{' open' if opened > 0 else ''}><summary>{swatch}{kind}"
        f"{safe(shortened(node.text, NODE_WORDS))} <span class='level'>{standing(node)}, "
        f"{safe(node.id)}</span></summary><ul>{below}</ul></details></li>"
    )


def _maps(forest: Forest, known: Mapping[str, Place], numbers: Mapping[str, int]) -> str:
    """A map for each root: the places of one floor or site."""
    return "".join(
        _map(forest, root, known, numbers, number)
        for number, root in enumerate(forest.roots, start=1)
    )


def _map(
    forest: Forest,
    root: ForestNode,
    known: Mapping[str, Place],
    numbers: Mapping[str, int],
    number: int,
) -> str:
    drawn = [
        (leaf, _middle(leaf, known), colour) for leaf, colour in _coloured_leaves(forest, root)
    ]
    corners = [root.bounds.low, root.bounds.high, *(at for _, at, _ in drawn)]
    plan = Plan.fit(corners, width=WIDTH, height=HEIGHT, margin=MARGIN)
    radius = max(2.5, min(9.0, 90.0 / len(drawn) ** 0.5))
    parts = [
        f"<svg viewBox='0 0 {plan.width:.0f} {plan.height:.0f}' role='img' "
        f"aria-labelledby='map{number}'><rect class='bounds' hidden=''/>"
    ]
    for leaf, (x, y, _), colour in drawn:
        at = numbers[leaf.id]
        hint = safe(shortened(" ".join((leaf.kind, leaf.text)), 120))
        parts.append(
            f"<a href='#t{at}' tabindex='-1'><circle id='m{at}' cx='{plan.x(x)}' cy='{plan.y(y)}' "
            f"r='{radius:.1f}' fill='{colour}'><title>{hint}</title></circle></a>"
        )
        if len(drawn) <= NAMED:
            parts.append(_name(leaf, plan.x(x), plan.y(y), radius, width=plan.width))
    caption = f"Map {number}. {shortened(root.text, 160)}"
    return (
        f"<figure>{''.join(parts)}{plan.scale_bar()}</svg>"
        f"<figcaption id='map{number}'>{safe(caption)}</figcaption></figure>"
    )


def _name(leaf: ForestNode, x: float, y: float, radius: float, *, width: float) -> str:
    """What a place is called, on the side of it where there is room."""
    right = x > 0.75 * width
    at = x - radius - 3 if right else x + radius + 3
    anchor = " text-anchor='end'" if right else ""
    words = safe(shortened(leaf.kind or leaf.text, 24))
    return f"<text class='name' x='{at:.1f}' y='{y + 4:.1f}'{anchor}>{words}</text>"


def _coloured_leaves(forest: Forest, root: ForestNode) -> list[tuple[ForestNode, str]]:
    """The leaves below a root, each in the colour of the branch it hangs on."""
    colours = _colours(forest, root)
    found = []
    for branch in forest.children(root) or [root]:
        colour = colours.get(branch.id, PALETTE[0])
        below = Forest(forest.nodes, (branch,)).shown()
        found += [(node, colour) for node in below if not node.children]
    return found


def _middle(leaf: ForestNode, known: Mapping[str, Place]) -> Vector3:
    """Where a leaf is drawn, metres."""
    if leaf.id in known:
        return known[leaf.id].centre
    low, high = leaf.bounds.low, leaf.bounds.high
    return ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2)
