"""Whoever answers for an access speaks every protocol that questions name for it, in every kind of model."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import onnx
import pytest

from algorithms.seam import questions
from algorithms.seam.access import Access, Model
from algorithms.seam.questions.neighbors import Neighbors
from models.neighbors.classifier import NeighborClassifier
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE
from tests.endpoints_for_tests import remote
from tests.exports import torch_export
from tests.served import ServedModel

OFFERS = re.compile(r".* offers `Access\.(\w+)`\.$")


def protocols() -> Iterator[tuple[Access, type]]:
    """Each protocol of each question's file, with the access that its docstring names."""
    for found in iter_modules(questions.__path__, f"{questions.__name__}."):
        for value in vars(import_module(found.name)).values():
            told = OFFERS.match(getattr(value, "__doc__", None) or "") if isinstance(value, type) else None
            if told:
                yield Access[told[1]], value


PROTOCOLS = sorted(set(protocols()), key=lambda pair: pair[1].__name__)


@contextmanager
def network() -> Iterator[Model]:
    found = read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)
    yield OnnxClassifier(found, differentiator(found, DEVICE), DEVICE, bounder(found, DEVICE))


@contextmanager
def plain_network() -> Iterator[Model]:
    yield OnnxClassifier(read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None), None, DEVICE)


@contextmanager
def neighbors() -> Iterator[Model]:
    yield NeighborClassifier(Neighbors(np.eye(3), np.arange(3), 1), (3,))


@contextmanager
def endpoint() -> Iterator[Model]:
    with ServedModel(lambda rows: np.zeros((len(rows), 2), np.float32)) as server:
        model = remote(server, (3,), 2)
        yield model
        model.close()


def test_every_access_that_a_model_offers_today_has_a_protocol() -> None:
    assert {access for access, _ in PROTOCOLS} == set(Access) - {Access.TREES}


@pytest.mark.parametrize("opened", [network, plain_network, neighbors, endpoint])
def test_whoever_answers_for_an_access_has_the_methods_of_its_protocols(opened: Any) -> None:
    with opened() as model:
        for access, protocol in PROTOCOLS:
            if access in model.offers:
                promised = [name for name in vars(protocol) if not name.startswith("_")]
                assert promised, protocol
                assert all(callable(getattr(model.offers[access], name, None)) for name in promised), protocol


@pytest.mark.parametrize("opened", [plain_network, neighbors, endpoint])
def test_no_model_has_a_method_for_what_it_does_not_offer(opened: Any) -> None:
    with opened() as model:
        missing = [protocol for access, protocol in PROTOCOLS if access not in model.offers]
        assert len(missing) >= 2
        for name in (name for protocol in missing for name in vars(protocol) if not name.startswith("_")):
            assert getattr(model, name, None) is None, name
