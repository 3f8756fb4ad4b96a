"""Our side: a method through the driver, and the onnxruntime session beneath it alone."""

from functools import cache
from typing import Any

import onnxruntime as ort

from algorithms.parameters import Budget
from algorithms.registry import method
from algorithms.running import Samples, run
from algorithms.threat import Norm, Threat
from benchmarks import data
from benchmarks.sides import serve
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate import check
from models.onnx.gradients import differentiator
from models.onnx.network import Network, read


@cache
def network(name: str) -> Network:
    return read(check(data.network(name).read_bytes()), None)


@cache
def model(name: str) -> OnnxClassifier:
    return OnnxClassifier(network(name), differentiator(network(name), "cpu"), "cpu")


def audit(
    net: str,
    images: list[int],
    name: str,
    params: dict[str, Any],
    norm: str,
    epsilon: float | None = None,
    queries: int | None = None,
) -> list[dict[str, Any]]:
    """The findings of one job: labels are the model's own predictions, so every sample takes part."""
    chosen = method(name)
    outcomes = run(
        model(net),
        Samples(data.images(images), tuple(images), None),
        chosen,
        chosen.params.model_validate({"name": name, **params}),
        Threat(Norm(norm), epsilon=epsilon),
        Budget(queries=queries),
        seed=0,
    )
    return [outcome.finding.model_dump(mode="json") for outcome in outcomes]


def raw(net: str, images: list[int], calls: int) -> None:
    """The session alone, as the driver has it, on a batch of these images again and again."""
    rows = data.images(images)
    for _ in range(calls):
        model(net).scores(rows)


def plain(net: str, images: list[int], calls: int) -> None:
    """onnxruntime with its defaults, but for the number of threads: those of this machine."""
    session, rows = _plain(net), data.images(images)
    for _ in range(calls):
        session.run(None, {session.get_inputs()[0].name: rows})


@cache
def _plain(net: str) -> ort.InferenceSession:
    return ort.InferenceSession(data.network(net).read_bytes(), providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    serve({"audit": audit, "raw": raw, "plain": plain})
