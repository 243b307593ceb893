"""What requests look like, for the OpenAPI document."""

from __future__ import annotations

from memory_core.types import Json

EXAMPLES: dict[str, dict[str, Json]] = {
    "ask": {
        "where": {"question": "where is the red mug?"},
        "when": {"question": "when did you last see the dog?", "zone": "Europe/Berlin"},
    },
    "recall": {
        "words": {"query": "something to put out a fire", "k": 5},
        "around": {"near": [2.0, 1.5], "radius_m": 3.0, "start": "2026-03-03T09:00"},
    },
    "locate": {"thing": {"thing": "mug", "k": 3}},
    "timeline": {"morning": {"start": "2026-03-03T08:00", "end": "2026-03-03T12:00"}},
    "describe_area": {
        "place": {"place": "kitchen"},
        "circle": {"position": [2.0, 1.5], "radius_m": 2.0},
    },
    "forest": {"top": {"depth": 1}, "part": {"node": "forest:0"}},
    "entity_history": {"kind": {"entity": "mug"}, "one": {"entity": "entity:0"}},
    "what_changed": {"since": {"since": "2026-03-03T09:00", "thing": "mug"}},
    "remember_note": {"note": {"text": "the spare key is in the top drawer", "position": [2, 1]}},
    "forget": {"count": {"ids": ["o1"], "reason": "asked by its owner", "dry_run": True}},
    "plan": {"goal": {"goal": "bring the mug to the kitchen"}},
    "go_to": {"words": {"target": "the kitchen"}, "position": {"position": [2.0, 1.5]}},
    "observe": {
        "note": {
            "observations": [
                {
                    "stamp_ns": 1_772_528_400_000_000_000, "source": "camera",
                    "pose": [2.0, 1.5, 0.0], "text": "a tidy kitchen",
                    "sightings": [{"label": "mug", "position": [1.0, 0.2, 0.8]}],
                }
            ]
        }
    },
}  # fmt: skip
"""By call, then by name: request bodies."""
