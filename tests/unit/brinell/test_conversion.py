"""Folders of images and tables become the samples that were meant, number for number, as numpy reads them."""

import builtins
import csv

import numpy as np
import pytest
from PIL import Image

from models.samples import inspect_samples, load_rows

pytestmark = pytest.mark.usefixtures("an_empty_folder")
rng = np.random.default_rng(0)


@pytest.fixture
def photos(an_empty_folder):
    """Three cats, one dog, one bird: {class: [(8, 6, 3) uint8]} and a folder of PNGs."""
    pixels = {"dog": rng.integers(0, 256, (1, 8, 6, 3), np.uint8)}
    pixels["cat"] = rng.integers(0, 256, (3, 8, 6, 3), np.uint8)
    pixels["Bird"] = np.arange(144, dtype=np.uint8).reshape(1, 8, 6, 3)
    for name, images in pixels.items():
        folder = an_empty_folder / "photos" / name
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("no image")
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{number}.png")
    (an_empty_folder / "photos" / ".cache").mkdir()
    return pixels


def loaded(path):
    with np.load(path, allow_pickle=False) as file:
        return file["x"], file["y"]


def test_images_keep_their_values_and_classes_take_turns(run, photos, an_empty_folder):
    code, _, err = run("samples", "from-images", "photos", "--size", "8x6")
    x, y = loaded("photos.npz")
    assert code == 0
    assert err.splitlines() == ["0: Bird", "1: cat", "2: dog", "Wrote photos.npz: 5 samples of shape 3x8x6."]
    assert y.tolist() == [0, 1, 2, 1, 1]
    expected = np.stack([photos["Bird"][0], photos["cat"][0], photos["dog"][0], *photos["cat"][1:]])
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, (expected.astype(np.float32) / 255).transpose(0, 3, 1, 2))


def test_channels_come_last_where_the_model_wants_them_so(run, photos):
    run("samples", "from-images", "photos", "--size", "8x6", "--layout", "hwc", "--scale", "1", "-o", "a.npz")
    np.testing.assert_array_equal(loaded("a.npz")[0][0], photos["Bird"][0])


@pytest.mark.parametrize(("layout", "shape"), [("chw", (5, 1, 4, 3)), ("hwc", (5, 4, 3, 1))])
def test_images_are_resized_and_turned_gray(run, photos, layout, shape):
    run("samples", "from-images", "photos", "--size", "4x3", "--layout", layout, "--color", "gray")
    x, _ = loaded("photos.npz")
    assert x.shape == shape
    assert 0 <= x.min() < x.max() <= 1


def test_what_was_written_is_what_the_service_reads(run, photos, an_empty_folder):
    run("samples", "from-images", "photos", "--size", "8x6")
    facts = inspect_samples(an_empty_folder / "photos.npz")
    assert (facts.count, facts.shape, facts.label_maximum) == (5, (3, 8, 6), 2)
    x, y = load_rows((an_empty_folder / "photos.npz").read_bytes(), [3, 1])
    np.testing.assert_array_equal(x, loaded("photos.npz")[0][[3, 1]])
    assert y.tolist() == [1, 1]


def test_a_broken_image_is_named_and_nothing_is_left(run, photos, an_empty_folder):
    (an_empty_folder / "photos/cat/9.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    code, _, err = run("samples", "from-images", "photos", "--size", "8x6")
    assert code == 2
    assert "9.png cannot be read" in err
    assert not list(an_empty_folder.glob("photos.npz*"))


def test_a_class_without_images_would_shift_all_labels_and_is_refused(run, photos, an_empty_folder):
    (an_empty_folder / "photos/ape").mkdir()
    code, _, err = run("samples", "from-images", "photos", "--size", "8x6")
    assert code == 2
    assert "ape has no images" in err


def test_without_pillow_the_command_says_what_to_install(run, photos, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name == "PIL":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    code, _, err = run("samples", "from-images", "photos", "--size", "8x6")
    assert code == 2
    assert "pip install 'brinell[images]'" in err


def table(path, *lines):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)


def test_a_table_keeps_its_columns_in_order_and_its_labels_as_they_are(run, an_empty_folder):
    table(an_empty_folder / "t.csv", ["b", "class", "a"], [1, 2, 30], [-4.5, 0, "6e1"])
    code, _, err = run("samples", "from-csv", "t.csv", "--label", "class", "--scale", "10")
    x, y = loaded("t.npz")
    assert (code, err) == (0, "Wrote t.npz: 2 samples of shape 2.\n")
    np.testing.assert_array_equal(x, np.array([[0.1, 3.0], [-0.45, 6.0]], np.float32))
    assert y.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        (["virginica", "setosa", "dög"], ["virginica", "setosa", "dög"]),
        ([-1, "+1", 1], [-1, 1, 1]),
        ([3, "other", 3], ["3", "other", "3"]),
    ],
)
def test_labels_of_a_table_stay_as_they_are(run, an_empty_folder, labels, kept):
    table(an_empty_folder / "t.csv", ["x", "kind"], *enumerate(labels))
    code, _, err = run("samples", "from-csv", "t.csv", "--label", "kind")
    assert (code, err) == (0, "Wrote t.npz: 3 samples of shape 1.\n")
    assert loaded("t.npz")[1].tolist() == kept
    assert inspect_samples(an_empty_folder / "t.npz").label_values == tuple(sorted(set(kept)))


@pytest.mark.parametrize("word", ["", "w" * 65])
def test_a_label_that_the_service_would_not_take_is_refused_first(run, an_empty_folder, word):
    table(an_empty_folder / "t.csv", ["x", "kind"], [1, "setosa"], [2, word])
    code, _, err = run("samples", "from-csv", "t.csv", "--label", "kind")
    assert code == 2 and "has not 1 to 64 characters" in err


def test_names_may_be_numbered_in_their_order(run, an_empty_folder):
    table(an_empty_folder / "t.csv", ["x", "kind"], [1, "virginica"], [2, "setosa"], [3, "virginica"])
    _, _, err = run("samples", "from-csv", "t.csv", "--label", "kind", "--numbered")
    assert loaded("t.npz")[1].tolist() == [1, 0, 1]
    assert err.splitlines()[:2] == ["0: setosa", "1: virginica"]


UNREADABLE = {
    "no such column": ([["a", "b"], [1, 2]], "no column 'label'"),
    "no lines": ([["a", "label"]], "no lines"),
    "nothing": ([], "but nothing"),
    "a short line": ([["a", "label"], [1, 2], [3]], "line 3 has 1 columns"),
    "a word": ([["a", "label"], ["one", 2]], "line 2, column 'a' holds 'one'"),
    "a hole": ([["a", "label"], ["", 2]], "line 2, column 'a' holds ''"),
    "infinity": ([["a", "label"], ["inf", 2]], "no number"),
}


@pytest.mark.parametrize(("lines", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_table_that_does_not_fit_says_where(run, an_empty_folder, lines, why):
    table(an_empty_folder / "t.csv", *lines)
    code, _, err = run("samples", "from-csv", "t.csv", "--label", "label")
    assert code == 2
    assert why in err


WRONG_USAGE = {
    "no folder": ["from-images", "absent", "--size", "8x6"],
    "no size": ["from-images", "photos"],
    "half a size": ["from-images", "photos", "--size", "8"],
    "an empty size": ["from-images", "photos", "--size", "0x8"],
    "an unknown layout": ["from-images", "photos", "--size", "8x6", "--layout", "cwh"],
    "no scale": ["from-images", "photos", "--size", "8x6", "--scale", "0"],
    "no table": ["from-csv", "absent.csv", "--label", "y"],
    "no label": ["from-csv", "t.csv"],
    "nowhere to write": ["from-images", "photos", "--size", "8x6", "-o", "absent/s.npz"],
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_ends_with_4(run, photos, an_empty_folder, arguments):
    (an_empty_folder / "t.csv").write_text("a,y\n1,2\n")
    assert run("samples", *arguments)[0] == 4
