"""The evaluation of the semantic forest, on a part of the campus and on places made by hand."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from memory_core.errors import EmptyMemory, RecordingUnreadable
from memory_core.evaluation.forest import (
    AUTHORS,
    PLACES,
    _authors,
    caption_halves,
    evaluate_forest,
    read_site,
)
from memory_core.perception.text import HashingEncoder


def write(folder, values):
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / PLACES, "wt", encoding="utf-8") as file:
        for value in values:
            file.write(json.dumps(value) + "\n")
    return folder


def place(number, caption, *, east=0.0):
    return {"id": number, "name": "", "caption": caption, "longitude": east, "latitude": 0.0}


@pytest.fixture(scope="module")
def part(real_data, tmp_path_factory):
    """Every sixteenth place of the campus."""
    with gzip.open(real_data("campus") / PLACES, "rt", encoding="utf-8") as file:
        values = [json.loads(line) for line in file]
    return write(tmp_path_factory.mktemp("campus"), values[::16])


def test_a_part_of_the_campus_meets_the_targets(part):
    told = []
    report, rows = evaluate_forest(
        part, encoder=HashingEncoder(), sizes=(100, 400), progress=lambda *step: told.append(step)
    )
    n = report["n"]
    assert n == 208
    assert told[-1][0] == told[-1][1] == 8
    assert report["authors"] is None
    for name in ("reference", "incremental"):
        assert len(report[name]["levels"]) == len(report[name]["within_similarity"])
        ranks = [row[name] for row in rows]
        share = np.mean([rank == 1 for rank in ranks])
        assert report[name]["caption@1"] == pytest.approx(share, abs=1e-4)
    assert report["incremental"]["levels"][-1] == 1
    ratios = report["ratios"]
    assert ratios["dasgupta"] <= 1.05
    assert ratios["dasgupta"] == pytest.approx(
        report["incremental"]["dasgupta"] / report["reference"]["dasgupta"], abs=1e-4
    )
    assert ratios["caption@1"] >= -0.01
    assert set(report["incremental"]["insert_ms"]) == {"100", "208", "400"}
    assert report["reference"]["insert_ms"]["400"] is None
    assert len(report["root"]) == 1
    assert report["root"][0].startswith("208 places over 1.")
    assert "campus" in report["root"][0]
    json.dumps(report)


def test_the_authors_forest_is_measured_over_all_places(real_data):
    folder = real_data("campus")
    site = read_site(folder)
    vectors = HashingEncoder(16).encode(site.texts)
    authors = _authors(folder / AUTHORS, site, vectors)
    assert authors["levels"] == [159, 45, 10, 2, 1]
    assert authors["places"] == len(site.texts) == 3_313


def test_positions_are_metres_and_halves_are_sentences(tmp_path):
    folder = write(tmp_path, [place(0, "One. Two! Three?"), place(1, "Only one", east=0.001)])
    site = read_site(folder)
    np.testing.assert_allclose(site.positions[1], [111.195, 0, 0], atol=0.01)
    assert site.halves == [("One. Two!", "Three?"), ("Only one", "")]
    assert site.asked == [0]
    assert caption_halves("A. B. C. D.") == ("A. B.", "C. D.")


def test_folders_without_places_are_refused(tmp_path):
    with pytest.raises(RecordingUnreadable, match="places"):
        evaluate_forest(tmp_path, encoder=HashingEncoder())
    with pytest.raises(EmptyMemory, match="two"):
        evaluate_forest(write(tmp_path, [place(0, "One. Two.")]), encoder=HashingEncoder())
