"""Open-vocabulary detection, on a tiny checkpoint with random weights."""

from __future__ import annotations

import json
import string

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pybullet")
pytest.importorskip("transformers")

import transformers

from memory_core.errors import EncodingError, NotInstalled
from memory_core.perception.camera import Intrinsics
from memory_core.types import Pose
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.open_vocabulary import TransformersDetector, mask_in_box

LABELS = ["red mug", "book"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An OWLv2 of one layer that reads letters."""
    folder = tmp_path_factory.mktemp("owl")
    letters = string.ascii_lowercase
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(
        json.dumps({word: number for number, word in enumerate(words)}), encoding="utf-8"
    )
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokenizer = transformers.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"),
        pad_token="<|endoftext|>", model_max_length=16,
    )  # fmt: skip
    small = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    last = len(words) - 1
    text = {"vocab_size": len(words), "max_position_embeddings": 16, "pad_token_id": last,
            "bos_token_id": last - 1, "eos_token_id": last}  # fmt: skip
    transformers.set_seed(0)
    model = transformers.Owlv2ForObjectDetection(
        transformers.Owlv2Config(
            text_config={**small, **text},
            vision_config={**small, "image_size": 64, "patch_size": 16}, projection_dim=16,
        )
    )  # fmt: skip
    pictures = transformers.Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    model.save_pretrained(folder)
    transformers.Owlv2Processor(pictures, tokenizer).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def frame():
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    depth = np.full((48, 64), 2.0, np.float32)
    lens = Intrinsics(60, 60, 32, 24, 64, 48)
    return Frame(image, depth, Pose(), lens, np.zeros((48, 64), int))


def test_boxes_become_labels_masks_and_scores_most_certain_first(checkpoint, frame):
    found = TransformersDetector(checkpoint, LABELS, threshold=0.0)(frame)
    assert found
    for detection in found:
        assert detection.label in LABELS
        assert detection.mask.shape == (48, 64) and detection.mask.any()
        assert 0 <= detection.score <= 1
    scores = [detection.score for detection in found]
    assert scores == sorted(scores, reverse=True)


def test_boxes_below_the_threshold_are_left_out(checkpoint, frame):
    assert TransformersDetector(checkpoint, LABELS, threshold=1.0)(frame) == []


def test_a_box_without_depth_is_nowhere(checkpoint, frame):
    frame.depth_m[:] = 0
    assert TransformersDetector(checkpoint, LABELS, threshold=0.0)(frame) == []


def test_a_folder_that_holds_no_detector_is_refused(tmp_path):
    with pytest.raises(EncodingError, match="no detector can be loaded"):
        TransformersDetector(str(tmp_path), LABELS)


def test_nothing_to_look_for_is_refused(checkpoint):
    with pytest.raises(EncodingError, match="at least one label"):
        TransformersDetector(checkpoint, [])


def test_without_transformers_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(NotInstalled, match="robot-memory\\[perception\\]"):
        TransformersDetector("anything", LABELS)


def test_the_mask_in_a_box_is_the_thing_and_not_the_wall_behind():
    depth = np.full((60, 80), 3.0, np.float32)
    depth[20:40, 30:45] = 1.2
    thing = np.zeros((60, 80), bool)
    thing[20:40, 30:45] = True
    assert np.array_equal(mask_in_box(depth, (26, 16, 49, 44), focal=100.0), thing)


def test_a_box_beyond_the_picture_is_cut_at_its_edge():
    depth = np.full((60, 80), 2.0, np.float32)
    mask = mask_in_box(depth, (-10, -10, 20, 15), focal=100.0)
    assert mask[:15, :20].all() and mask.sum() == 15 * 20


def test_a_robot_lives_with_the_checkpoint_of_a_folder(run, tmp_path, checkpoint):
    status, printed, wrong = run(
        "sim", "house", "--seed", "30", "--out", tmp_path / "house", "--errand", "wait 1 second",
        "--detector", checkpoint, "--pixels", "64x48", "--encoder", "none", "--json",
    )  # fmt: skip
    assert status == 0, wrong
    assert json.loads(printed)["sees_with"]["detector"] == checkpoint
