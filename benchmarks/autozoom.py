"""What a small space saves: queries to the first success of `autozoom` beside those of `zoo`, and distances.

    python -m benchmarks.autozoom [--quick] [--full]

mnist_cw7 (the network of the ZOO paper), l2, scores, each image with a target drawn at random, 10 images (--full: 50).
The auto-encoder is trained on 1,000 other images of the test set, which costs time and no query, so a sample's share of
`prepare` is 0. What is found is kept in .bench/, so a run that was stopped goes on where it was.
"""

import math
from collections.abc import Iterator, Mapping
from statistics import fmean, median
from typing import Any

import numpy as np

from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.wish import Arrays
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from benchmarks import data
from benchmarks.figures import Figure, at_least, main
from benchmarks.kept import kept, our_code
from benchmarks.side_ours import model
from models.training import autoencoder

NET, FIRST, AUXILIARY, SEED = "mnist_cw7", 5000, 1000, 0
WAYS: Mapping[str, tuple[str, Mapping[str, Any], int]] = {
    "zoo": ("zoo", {}, 50_000),
    "autozoom, bilinear": ("autozoom", {}, 10_000),
    "autozoom, auto-encoder": ("autozoom", {"directions": "decoder"}, 10_000),
}
PAPER = 0.93  # fewer queries than ZOO's, "more than 93 %" (Tu et al. 2019, abstract)

Told = dict[str, float | None]
"""queries to the first success and its distance; the distance at the end."""


def measure(quick: bool) -> Iterator[Figure]:
    yield from _measured(images=1 if quick else 10)


def full() -> Iterator[Figure]:
    yield from _measured(images=50)


def _measured(images: int) -> Iterator[Figure]:
    first: dict[str, float] = {}
    for way in WAYS:
        told = [_kept(way, image) for image in range(images)]
        won = [each for each in told if each["queries"] is not None]
        queries, near, last = ([each[part] or math.nan for each in won] for part in ("queries", "first", "last"))
        first[way] = fmean(queries)
        yield Figure(f"{NET}, {way}: successes", f"{len(won)} of {images}")
        yield Figure(f"{way}: queries to the first", f"mean {first[way]:.0f}, median {median(queries):.0f}")
        yield Figure(f"{way}: mean distance", f"{fmean(near):.2f} at the first, {fmean(last):.2f} at the end")
    for way in list(WAYS)[1:]:
        yield at_least(f"{way}: fewer queries than zoo to the first", 1 - first[way] / first["zoo"], PAPER, "{:.3f}")


def _kept(way: str, image: int) -> Told:
    name, params, queries = WAYS[way]
    question = {"benchmark": "autozoom", "way": way, "image": image, "params": params, "queries": queries}
    told: Told = kept(question, our_code(), lambda: _told(name, params, queries, image))
    return told


def _told(name: str, params: Mapping[str, Any], queries: int, image: int) -> Told:
    attack = method(name)
    prepared = _decoder() if params.get("directions") == "decoder" else {}
    (outcome,) = run(
        model(NET),
        Samples(data.images([image]), (image,), data.labels(image + 1)[image:].astype(np.int64), prepared=prepared),
        attack,
        attack.params.model_validate({"name": name, **params}),
        Threat(norm=Norm.L2, targeted="random"),
        Budget(queries),
        seed=SEED,
    )
    curve = outcome.finding.details.get("curve") or [(None, None)]
    return {"queries": curve[0][0], "first": curve[0][1], "last": outcome.finding.value}


def _decoder() -> Arrays:
    question = {"benchmark": "autozoom", "decoder of": [FIRST, AUXILIARY]}
    told = kept(question, our_code(), lambda: {name: array.tolist() for name, array in _trained().items()})
    return {name: np.array(numbers, np.float32) for name, numbers in told.items()}


def _trained() -> Arrays:
    x = data.images(list(range(FIRST, FIRST + AUXILIARY)))
    found = autoencoder.train(x, Decoder().layers(x.shape[1:]), {}, SEED, lambda _: False)
    assert found.decoder is not None  # nothing ends it early
    return found.decoder


if __name__ == "__main__":
    main(measure, full)
