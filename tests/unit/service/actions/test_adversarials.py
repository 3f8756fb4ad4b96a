"""Chunks of adversarial points become one .npz that numpy reads."""

import io
from pathlib import Path

import numpy as np
import pytest

from service.actions.adversarials import blocks, merge, size_of


def stored(rows: list[int], shape: tuple[int, ...], rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    x = rng.random((len(rows), *shape), dtype=np.float32)
    np.savez(file, index=np.array(rows, np.int64), x=x, label=np.array(rows, np.int64) % 3)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(4,), (1, 8, 8)])
@pytest.mark.parametrize("cut", [[[0, 1], [2], [5, 7]], [[], [3]], [[]], []])
def test_the_merged_file_holds_the_chunks_rows_in_their_order(
    tmp_path: Path, cut: list[list[int]], shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(3)
    library = {f"digest{n}": stored(rows, shape, rng) for n, rows in enumerate(cut)}
    file = merge(list(library), library.__getitem__, shape, tmp_path)
    size = size_of(file)
    data = b"".join(blocks(file))
    assert len(data) == size
    with np.load(io.BytesIO(data), allow_pickle=False) as merged:
        expected = [np.load(io.BytesIO(chunk))["x"] for chunk in library.values()]
        assert merged["index"].tolist() == [row for rows in cut for row in rows]
        assert merged["x"].shape == (sum(map(len, cut)), *shape)
        assert merged["x"].dtype == np.float32
        assert np.array_equal(merged["x"], np.concatenate([np.zeros((0, *shape), np.float32), *expected]))
        assert merged["label"].tolist() == [row % 3 for rows in cut for row in rows]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    b"".join(blocks(merge([], {}.__getitem__, (2,), tmp_path)))
    assert list(tmp_path.iterdir()) == []
