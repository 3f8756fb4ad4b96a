"""The gallery's images are PNG files that say what the numbers say."""

import io

import numpy as np
import pytest
from PIL import Image

from audits.renderings.pictures import png, triptychs
from tests.reports_for_tests import report


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_survives_its_png(channels):
    image = np.random.default_rng(0).random((5, 7, channels))
    read = np.asarray(Image.open(io.BytesIO(png(image)))).reshape(image.shape)
    assert np.array_equal(read, (image * 255).round().astype(np.uint8))


def test_the_change_is_told_at_its_largest():
    gallery = report().gallery
    assert gallery is not None
    for shown in triptychs(gallery):
        change = np.subtract(shown.picture.adversarial, shown.picture.original)
        assert shown.reach == pytest.approx(np.abs(change).max())


def test_an_unchanged_picture_has_a_gray_change():
    gallery = report().gallery
    assert gallery is not None
    same = gallery.pictures[0].model_copy(update={"adversarial": gallery.pictures[0].original})
    (shown,) = triptychs(gallery.model_copy(update={"pictures": (same,)}))
    assert shown.reach == 0.0
