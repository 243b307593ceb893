"""Maps in nav2's format."""

import numpy as np
import pytest
from PIL import Image

from memory_core.errors import MemoryDamaged
from memory_core.planning.body import Scan
from memory_core.planning.navigation.files import load_map, save_map, write_atomically
from memory_core.planning.navigation.grid import OccupancyGrid


@pytest.fixture
def grid():
    grid = OccupancyGrid()
    random = np.random.default_rng(1)
    for _ in range(5):
        scan = Scan(np.linspace(-3, 3, 200), random.uniform(1, 4, 200), 8.0)
        grid.insert(scan, (*map(float, random.uniform(-2, 2, 2)), 0.0))
    return grid


def test_a_map_read_back_has_the_same_cells_in_the_same_place(grid, tmp_path):
    read = load_map(save_map(grid, tmp_path, name="floor_0"))
    assert read.corner == grid.corner
    assert np.array_equal(read.occupied, grid.occupied)
    assert np.array_equal(read.free, grid.free)
    assert np.array_equal(read.known, grid.known)


def test_the_picture_has_its_top_row_at_the_greatest_y_and_nav2s_shades(grid, tmp_path):
    save_map(grid, tmp_path, name="floor_0")
    picture = np.asarray(Image.open(tmp_path / "floor_0.pgm"))
    assert set(np.unique(picture)) == {0, 205, 254}
    row, column = np.argwhere(grid.occupied)[0]
    assert picture[grid.shape[0] - 1 - row, column] == 0
    lines = (tmp_path / "floor_0.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "image: floor_0.pgm"
    assert f"origin: [{grid.corner[1] * 0.05:g}, {grid.corner[0] * 0.05:g}, 0]" in lines
    assert "resolution: 0.05" in lines


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "floor_0.pgm").unlink(),
        lambda folder: (folder / "floor_0.yaml").unlink(),
        lambda folder: (folder / "floor_0.pgm").write_bytes(
            (folder / "floor_0.pgm").read_bytes()[:-5]
        ),
        lambda folder: (folder / "floor_0.yaml").write_text("image: floor_0.pgm\n"),
        lambda folder: (folder / "floor_0.pgm").write_bytes(b"P2 1 1 255 0"),
    ],
)
def test_a_damaged_map_is_refused_by_name(grid, tmp_path, harm):
    path = save_map(grid, tmp_path, name="floor_0")
    harm(tmp_path)
    with pytest.raises(MemoryDamaged, match="floor_0"):
        load_map(path)


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "state"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")
    assert path.read_bytes() == b"old"
