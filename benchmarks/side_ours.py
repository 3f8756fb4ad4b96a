"""Our side: a method through the driver, and the onnxruntime session beneath it alone."""

import resource
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime as ort

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import UpperBound
from algorithms.seam.questions.scores import Scorer
from algorithms.threads import cores
from algorithms.threats.threat import Box, Threat
from benchmarks import data
from benchmarks.sides import serve
from models.cards import ModelCard
from models.device import choose
from models.opening import OpenedModel, open_model


@cache
def model(net: str) -> OpenedModel:
    """Opens one of the networks that are measured on."""
    return opened(data.network(net))


def box(net: str) -> Box:
    return Box(-data.CART_POLE, data.CART_POLE) if net == data.TINY else Threat().box


def opened(path: Path) -> OpenedModel:
    """Opens a file as a runner does, on the device that BRINELL_DEVICE names."""
    file = path.read_bytes()
    card = ModelCard(
        id=path.stem,
        kind="onnx",
        name=path.stem,
        state="ready",
        sha256="",
        size_bytes=len(file),
        offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS),
        created_at=datetime.now(UTC),
    )
    return open_model(card, file, device=choose(data.device()))


def audit(
    net: str,
    images: list[int],
    name: str,
    params: dict[str, Any],
    norm: str,
    epsilon: float | None = None,
    queries: int | None = None,
    groups: int | None = None,
) -> list[dict[str, Any]]:
    """Returns the findings of one job: labels are the model's own predictions, so every sample takes part."""
    chosen = method(name)
    outcomes = run(
        model(net),
        Samples(data.samples(net, images), tuple(images), None),
        chosen,
        chosen.params.model_validate({"name": name, **params}),
        Threat(Norm(norm), box(net), epsilon=epsilon),
        Budget(queries=queries),
        seed=0,
        groups=groups or max(1, cores() // 2),  # as a runner has it
    )
    return [outcome.finding.model_dump(mode="json") for outcome in outcomes]


def labels(net: str, images: list[int]) -> list[int]:
    """Returns what the network makes of these images."""
    return [int(label) for label in cast(Scorer, model(net)).scores(data.samples(net, images)).argmax(1)]


def accounted(net: str, images: list[int], name: str, params: dict[str, Any], norm: str, groups: int) -> float:
    """Returns the processor time of threads that others may wait for: the driver's, and those of bounds going forward.

    The rest is shared by as many threads as there are cores.
    """
    before = _alone()
    audit(net, images, name, params, norm, groups=groups)
    return _alone() - before


def _alone() -> float:
    threads = [t for t in threading.enumerate() if t is threading.main_thread() or t.name.startswith("forward")]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(t.ident)) for t in threads if t.ident is not None)


def shown(
    net: str,
    images: list[int],
    targets: list[int] | None,
    name: str,
    params: dict[str, Any],
    norm: str,
    epsilon: float | None = None,
) -> list[dict[str, Any]]:
    """Returns what one job found of each image, by both lengths, and how far its first claim was in the threat's norm.

    That is before anything was pulled back, where a method ends with its first success.
    """
    chosen, first = method(name), dict[int, float]()
    x, threat = data.samples(net, images), Threat(Norm(norm), box(net), epsilon, "given" if targets else None)

    def watched(cohort: Cohort, threat: Threat, params: Any) -> Conversation:
        """Say all that the method says, and remember its first claim of each sample."""
        conversation, answer = chosen.run(cast(Any, cohort), threat, params), None
        while True:
            try:
                said = conversation.send(answer)
            except StopIteration:
                return
            if isinstance(said, UpperBound):
                first.setdefault(said.owner, threat.distance(said.x_adv, cohort.x[said.owner]))
            answer = yield said

    outcomes = run(
        model(net),
        Samples(x, tuple(images), None, None if targets is None else np.array(targets)),
        replace(chosen, run=watched),
        chosen.params.model_validate({"name": name, **params}),
        threat,
        Budget(queries=None),
        seed=0,
    )
    found = []
    for place, (outcome, row) in enumerate(zip(outcomes, x, strict=True)):
        away = None if outcome.x_adv is None else np.abs(outcome.x_adv.astype(np.float64) - row)
        found.append(
            {
                "found": away is not None,
                "l1": None if away is None else float(away.sum()),
                "l2": None if away is None else float(np.sqrt((away**2).sum())),
                "before": first.get(place),
                "queries": outcome.finding.queries,
                "gradients": outcome.finding.gradients,
                "details": outcome.finding.details,
            }
        )
    return found


def raw(net: str, images: list[int], calls: int) -> None:
    """The session alone, as the driver has it, on a batch of these images again and again."""
    scorer, rows = cast(Scorer, model(net)), data.samples(net, images)
    for _ in range(calls):
        scorer.scores(rows)


def plain(net: str, images: list[int], calls: int) -> None:
    """Opens the model in onnxruntime with its defaults, but for the number of threads: those of this machine."""
    session, rows = _plain(net), data.samples(net, images)
    for _ in range(calls):
        session.run(None, {session.get_inputs()[0].name: rows})


def peak() -> int:
    """Returns the most memory that this process has had resident so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@cache
def _plain(net: str) -> ort.InferenceSession:
    return ort.InferenceSession(data.network(net).read_bytes(), providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    serve(
        {
            "audit": audit,
            "shown": shown,
            "labels": labels,
            "accounted": accounted,
            "raw": raw,
            "plain": plain,
            "peak": peak,
        }
    )
