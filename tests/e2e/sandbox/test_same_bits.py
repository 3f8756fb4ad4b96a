"""What is found of a model is the same to the bit at level strict and at level basic."""

import io
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms import registry
from models.cards import ModelCard
from tests.devices import DEVICE, RUNNER, RUNNER_MEMORY
from tests.e2e.machine import DIGITS
from tests.e2e.test_runner import CARD, ask, chunk
from tests.exports import graph
from workers.confinement.levels import Isolation
from workers.frames import Frame
from workers.messages import OpenModel
from workers.supervisor.runner_process import RunnerProcess
from workers.work.inspect import InspectModel, ModelInspected
from workers.work.run import BeginJob

LEVELS: tuple[Isolation, Isolation] = ("basic", "strict")


@pytest.fixture(scope="module")
def pair() -> Iterator[dict[Isolation, RunnerProcess]]:
    processes = {level: RunnerProcess(memory_bytes=RUNNER_MEMORY, kind=RUNNER, isolation=level) for level in LEVELS}
    assert [process.wait_until_ready().level for process in processes.values()] == list(LEVELS)
    yield processes
    for process in processes.values():
        process.close()


def wide() -> bytes:
    """Layers as wide as where a library chooses among its ways to multiply by what the processor can do."""
    rng = np.random.default_rng(7)
    sizes = (64, 384, 384, 10)
    nodes = [helper.make_node("Reshape", ["x", "flat"], ["v0"])]
    constants = {"flat": np.array([-1, 64], np.int64)}
    for number, (entering, leaving) in enumerate(itertools.pairwise(sizes)):
        constants[f"w{number}"] = (rng.normal(size=(entering, leaving)) / math.sqrt(entering)).astype(np.float32)
        nodes.append(helper.make_node("MatMul", [f"v{number}", f"w{number}"], [f"m{number}"]))
        nodes.append(helper.make_node("Tanh", [f"m{number}"], [f"v{number + 1}"]))
    return graph(nodes, ["N", 1, 8, 8], [("v3", TensorProto.FLOAT, ["N", 10])], constants)


def nearest() -> bytes:
    with np.load(DIGITS / "samples.npz") as npz, io.BytesIO() as file:
        np.savez(file, x=npz["x"].astype(np.float32), y=npz["y"], k=1)
        return file.getvalue()


MODELS = {
    "convolutions": ("onnx", (DIGITS / "model.onnx").read_bytes()),
    "wide layers": ("onnx", wide()),
    "neighbors": ("neighbors", nearest()),
}
JOBS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("convolutions", "square", "l2", {}),
    ("convolutions", "hopskipjump", "linf", {}),
    ("convolutions", "pgd", "linf", {}),
    ("convolutions", "clever", "l2", {"batches": 10, "batch_size": 16}),
    ("convolutions", "clever_second_order", "l2", {"batches": 5, "batch_size": 10}),
    ("convolutions", "crown", "linf", {}),
    ("convolutions", "smoothing", "l2", {"sigma": 0.25, "n": 2000}),
    ("wide layers", "square", "linf", {}),
    ("wide layers", "pgd", "l2", {}),
    ("wide layers", "clever", "linf", {"batches": 10, "batch_size": 16}),
    ("neighbors", "nearest_neighbor", "l2", {}),
]


def card(name: str) -> ModelCard:
    kind, data = MODELS[name]
    return CARD.model_copy(update={"kind": kind, "size_bytes": len(data)})


def found(process: RunnerProcess, model: str, method: str, norm: str, params: dict[str, Any]) -> list[Frame]:
    """What is said of the model, and of a chunk that the method is run on."""
    data = MODELS[model][1]
    inspected = ask(process, InspectModel(card=card(model), device=DEVICE, model=data))[-1]
    known = card(model).inspected(ModelInspected.read(inspected).inspection)
    ask(process, OpenModel(card=known, device=DEVICE, model=data))
    row = registry.method(method)
    facts = {"method": row.pinned, "params": {"name": method, **params}, "norm": norm, "epsilon": 0.5, "targeted": None}
    box = {"lower": np.zeros((), np.float32), "upper": np.ones((), np.float32)}
    free = dict.fromkeys(("gradients", "pool"))
    begun = ask(process, BeginJob.model_validate({**facts, **box, **free, "queries": 2500, "seed": 3}))[-1]
    return [inspected, begun, ask(process, chunk(2))[-1]]


@pytest.mark.parametrize(("model", "method", "norm", "params"), JOBS, ids=[f"{j[1]} {j[2]}, {j[0]}" for j in JOBS])
def test_the_sandbox_changes_no_bit(pair, model, method, norm, params):
    said = [found(process, model, method, norm, params) for process in pair.values()]
    assert said[0][-1].kind == "run.done", said[0][-1].fields
    for basic, strict in zip(*said, strict=True):
        assert (basic.kind, basic.blobs) == (strict.kind, strict.blobs)
