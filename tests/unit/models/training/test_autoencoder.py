"""The auto-encoder learns what samples have in common; its decoder is the same function in numpy and in torch."""

import numpy as np
import pytest
import torch

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.artifacts.wish import check
from algorithms.errors import Refused
from models.training import autoencoder

SHAPES = [(1, 8, 8), (8, 8), (3, 7, 5), (6, 9, 3), (2, 3, 3), (12,), (1, 5)]


def never(_share):
    return False


def decoder(shape: tuple[int, ...], blocks: int | None = None) -> TrainedDecoder:
    layers = Autoencoder.of(shape, blocks)
    rng = np.random.default_rng(0)
    return TrainedDecoder(
        layers, {name: rng.standard_normal(size, dtype=np.float32) for name, size in layers.decoder.items()}
    )


def latents(made: TrainedDecoder, m: int = 6) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((m, *made.layers.latent), dtype=np.float32)


@pytest.mark.parametrize("blocks", [None, 1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numpy_and_torch_decode_alike(shape, blocks):
    made = decoder(shape, blocks)
    z = latents(made)
    weights = {name: torch.from_numpy(array) for name, array in made.weights.items()}
    there = autoencoder.decoded(torch.from_numpy(z), weights, made.layers).numpy()
    here = made(z)
    assert (here.shape, here.dtype) == ((6, *shape), np.float32)
    np.testing.assert_allclose(here, made.layers.canvas.restore(there), rtol=1e-4, atol=1e-4 * np.abs(there).max())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_row_is_decoded_to_the_same_bits_alone_and_in_company(shape, monkeypatch):
    made = decoder(shape)
    z = latents(made, 40)
    every = made(z)
    np.testing.assert_array_equal(made(z[7:8])[0], every[7])
    np.testing.assert_array_equal(made(z[3:30]), every[3:30])
    monkeypatch.setattr("algorithms.artifacts.decoding.PART_BYTES", 1)
    np.testing.assert_array_equal(made(z), every)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nothing_is_decoded_to_nothing_and_twice_as_much_to_twice_as_much(shape):
    made = decoder(shape)
    z = latents(made)
    assert not made(np.zeros_like(z)).any()
    np.testing.assert_array_equal(made(2 * z), 2 * made(z))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_are_encoded_to_what_the_decoder_takes(shape):
    layers = Autoencoder.of(shape, None)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32))
    rng = np.random.default_rng(0)
    weights = {
        name: torch.from_numpy(rng.standard_normal(size, dtype=np.float32))
        for name, size in {**layers.encoder, **layers.decoder}.items()
    }
    view = torch.from_numpy(np.ascontiguousarray(layers.canvas.view(x.numpy())))
    assert autoencoder.encoded(view, weights, layers).shape == (4, *layers.latent)
    assert autoencoder.given_back(view, weights, layers).shape == view.shape


@pytest.mark.parametrize(
    ("shape", "latent"),
    [
        ((1, 28, 28), (1, 14, 14)),  # the paper's of MNIST
        ((3, 32, 32), (3, 8, 8)),  # and of CIFAR
        ((32, 32, 3), (3, 8, 8)),
        ((3, 224, 224), (3, 28, 28)),
        ((16,), (4,)),
        ((1,), (1,)),
    ],
    ids=str,
)
def test_how_few_numbers_are_left_of_a_sample(shape, latent):
    assert Autoencoder.of(shape, None).latent == latent


def planes(shape: tuple[int, ...], count: int = 60) -> np.ndarray:
    """Samples of two smooth patterns, added up by chance, around a mean of their own."""
    height, width = shape[-2:] if len(shape) > 1 else (1, shape[0])
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, count, 1, 1))
    return (5 + a * np.sin(3 * across + down) + b * (across - down)).reshape(count, *shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 6, 6), (12,)], ids=["images", "vectors"])
def test_what_samples_have_in_common_is_learned(shape, monkeypatch):
    monkeypatch.setattr(autoencoder, "STEPS_IN_ALL", 300)
    x = planes(shape)
    found = autoencoder.train(x, Autoencoder.of(shape, None), {}, 0, never)
    assert found.told["spread"] == pytest.approx((x - x.mean(0)).std(), rel=1e-4)
    assert found.told["reconstruction_error"] < 0.3 * found.told["spread"]
    check(found.decoder, Decoder().arrays(shape, len(x)))
    made = TrainedDecoder(Autoencoder.of(shape, None), found.decoder)
    offsets = made(np.random.default_rng(5).standard_normal((2000, *made.layers.latent), dtype=np.float32))
    assert np.square(offsets).mean() == pytest.approx(1, rel=0.15)


def test_a_training_that_is_cut_goes_on_to_the_same_bits(monkeypatch):
    monkeypatch.setattr(autoencoder, "STEPS_IN_ALL", 60)
    x, layers, asked = planes((1, 6, 6)), Autoencoder.of((1, 6, 6), None), 0

    def cut(_share):
        nonlocal asked
        asked += 1
        return asked % 24 == 0

    units = [autoencoder.train(x, layers, {}, 7, cut)]
    while units[-1].decoder is None:
        check(units[-1].state, Decoder().between((1, 6, 6), len(x)))
        units.append(autoencoder.train(x, layers, units[-1].state, 7, cut))
    whole = autoencoder.train(x, layers, {}, 7, never)
    assert len(units) == 3
    assert units[-1].told == whole.told
    for name, array in whole.decoder.items():
        np.testing.assert_array_equal(units[-1].decoder[name], array)


def test_another_seed_is_another_decoder(monkeypatch):
    monkeypatch.setattr(autoencoder, "STEPS_IN_ALL", 3)
    one, other = (autoencoder.train(planes((12,)), Autoencoder.of((12,), None), {}, seed, never) for seed in (0, 1))
    assert not np.array_equal(one.decoder["decoder.0"], other.decoder["decoder.0"])


def test_samples_that_are_all_the_same_teach_nothing():
    with pytest.raises(Refused, match="all the same"):
        autoencoder.train(np.full((30, 12), 3.0, np.float32), Autoencoder.of((12,), None), {}, 0, never)
