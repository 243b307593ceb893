"""Why this evidence: the way from the root of the forest down to it, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from memory_core.interfaces.console import printable, say, show
from memory_core.memory import RobotMemory
from memory_core.types import Evidence

WORDS = 90


def show_why(memory: RobotMemory, evidence: Sequence[Evidence]) -> None:
    """Print the path of the best evidence, with the attention at every node of it.

    Args:
        memory: Whose forest the path leads through.
        evidence: Best first; nothing is printed where none has a path.
    """
    from rich.text import Text
    from rich.tree import Tree

    best = next((item for item in evidence if len(item.path) > 1), None)
    if best is None:
        return
    texts = {node.id: " ".join((node.kind, node.text)).strip() for node in memory.forest()}
    texts[best.observation.id] = str(best.to_json()["text"] or "")
    attended = any(best.path_weights)
    say(
        "Why: the way down to the best evidence"
        + (", and its share of attention" if attended else "")
    )
    branch: Tree | None = None
    for number, node in enumerate(best.path):
        line = Text(no_wrap=True, overflow="ellipsis")
        if attended:
            line.append(f"{best.path_weights[number]:.2f}  ", style="cyan")
        line.append(printable(node), style="bold")
        line.append("  " + printable(" ".join(texts.get(node, "").split()))[:WORDS])
        branch = tree = Tree(line, guide_style="dim") if branch is None else branch.add(line)
        if number == 0:
            top = tree
    show(top)
