"""A runner stamps the curves of both searches, and what it found is the same bits whatever the clock said."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from algorithms.registry import method
from algorithms.searches.splitting.curve import MOST
from tests.perceptrons import layers, perceptron
from workers.work import run

X = np.random.default_rng(5).uniform(0.2, 0.8, (2, 2)).astype(np.float32)


def answered(name, epsilon):
    chosen = method(name)
    begun = run.BeginJob(
        method=f"{name}@{chosen.version}",
        params=chosen.smallest.model_dump(mode="json"),
        norm="linf",
        lower=np.zeros((), np.float32),
        upper=np.ones((), np.float32),
        epsilon=epsilon,
        targeted=None,
        queries=1000,
        gradients=None,
        seed=0,
        pool=None,
        prepared={},
    )
    bench = SimpleNamespace(
        begun=begun,
        model=perceptron(layers(5, 2, 4, 8, 2)),
        device="cpu",
        computed_with={},
        http_calls=0,
        checkpoint=lambda ends: lambda progress: None,
    )
    done = run.run(run.RunChunk(indices=(7, 3), x=X, y=None, targets=None, ends=np.inf), bench)
    return type(done).read(done.frame())


@pytest.mark.parametrize("epsilon", [None, 0.05], ids=["radius", "epsilon"])
@pytest.mark.parametrize("name", ["branch_and_bound", "close"])
def test_each_point_of_a_curve_has_its_seconds_and_findings_know_nothing_of_them(name, epsilon):
    first, again = answered(name, epsilon), answered(name, epsilon)
    assert first.findings == again.findings
    curves = {line["index"]: line["details"].get("curve") for line in json.loads(first.findings)}
    assert any(curves.values())
    assert first.curve_seconds.keys() == {index for index, curve in curves.items() if curve is not None}
    for index, seconds in first.curve_seconds.items():
        assert len(seconds) == len(curves[index]) <= MOST
        assert all(0 <= second <= first.seconds + 0.001 for second in seconds)


def test_a_method_without_a_curve_has_no_seconds():
    assert answered("crown", None).curve_seconds == {}
