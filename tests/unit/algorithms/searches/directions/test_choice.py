"""Which law of directions parameters name, and which parameters name none."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.basis import Basis
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.decoded import Decoded
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.params import DirectionParams, ImageDirectionParams, wants
from algorithms.searches.directions.spanning import Spanning

SHAPE = (1, 4, 6)
BASIS = np.eye(24, dtype=np.float32)[:5]
LAYERS = Autoencoder.of(SHAPE, None)
WEIGHTS = {name: np.full(size, 0.5, np.float32) for name, size in LAYERS.decoder.items()}
CASE = Case(np.zeros(SHAPE, np.float32), 0, None, None, 3, Stream(0, 0, "test"), prepared={"basis": BASIS, **WEIGHTS})


def params(**given) -> DirectionParams:
    return DirectionParams(name="any", **given)


def drawn_by(law) -> np.ndarray:
    out = np.empty((3, *SHAPE), np.float32)
    law.draw(np.random.default_rng(0), out)
    return out


@pytest.mark.parametrize(
    ("given", "law"),
    [
        ({}, Full(Norm.L2)),
        ({"directions": "dct", "frequencies": 0.5}, LowFrequencies.of(SHAPE, 0.5)),
        ({"directions": "bilinear"}, Bilinear.of(SHAPE, None)),
        ({"directions": "bilinear", "grid": 3}, Bilinear.of(SHAPE, 3)),
        ({"directions": "decoder"}, Decoded(TrainedDecoder(LAYERS, WEIGHTS))),
        ({"directions": "spanning"}, Spanning(BASIS)),
        ({"directions": "spanning", "subspace": "top", "rank": 2}, Spanning(BASIS[:2])),
        ({"directions": "spanning", "subspace": "bottom", "rank": 2}, Spanning(BASIS[3:])),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_parameters_name_a_law(given, law):
    np.testing.assert_array_equal(drawn_by(directions(CASE, params(**given))), drawn_by(law))


@pytest.mark.parametrize("shape", [(1, 4, 6), (20,), (3, 7, 30)], ids=str)
def test_where_none_is_asked_for_what_is_no_image_of_some_size_has_all_of_its_space(shape):
    case = replace(CASE, x=np.zeros(shape, np.float32))
    assert directions(case, ImageDirectionParams(name="any")) == Full(Norm.L2)


@pytest.mark.parametrize(("space", "law"), [("dct", LowFrequencies), ("bilinear", Bilinear)])
@pytest.mark.parametrize("shape", [(1, 8, 8), (9, 12, 3)], ids=str)
def test_where_none_is_asked_for_images_have_the_methods_own(shape, space, law):
    case = replace(CASE, x=np.zeros(shape, np.float32))
    assert isinstance(directions(case, ImageDirectionParams(name="any"), of_images=space), law)
    assert isinstance(directions(case, ImageDirectionParams(name="any", directions="full"), of_images=space), Full)
    assert wants(ImageDirectionParams(name="any")) is None


def test_all_of_the_space_is_drawn_from_in_the_norm_that_the_method_says():
    np.testing.assert_array_equal(drawn_by(directions(CASE, params(), Norm.LINF)), drawn_by(Full(Norm.LINF)))


def test_a_span_and_a_decoder_need_auxiliary_samples_and_nothing_else_does():
    assert wants(params(directions="spanning")) == Basis()
    assert wants(params(directions="spanning", subspace="top", rank=7)) == Basis(least=7)
    assert wants(params(directions="decoder", blocks=2)) == Decoder(2)
    assert not any(wants(params(directions=kind)) for kind in ("full", "dct", "bilinear"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"directions": "spanning", "subspace": "top"}, "give rank"),
        ({"directions": "spanning", "rank": 3}, "top or bottom"),
        ({"directions": "dct", "rank": 3}, "leave it and subspace out"),
        ({"subspace": "bottom", "rank": 3}, "leave it and subspace out"),
        ({"directions": "nowhere"}, "full"),
        ({"directions": "bilinear", "grid": 0}, "greater than or equal to 1"),
    ],
    ids=str,
)
def test_parameters_that_contradict_one_another_are_refused_with_a_way_out(given, why):
    with pytest.raises(ValidationError, match=why):
        params(**given)
