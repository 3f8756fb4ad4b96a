"""imitate: a substitute is trained on what a model has answered, and chooses what to ask next; the last one is kept.

It is trained in a runner that has no model at hand, of a worker that reaches no network. The substitute that ends the
rounds is an ONNX file, attacked in the stage `surrogate` like a model that was uploaded.
"""

from time import monotonic
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from algorithms.artifacts.answered import HELD_OUT, LABELS, ROWS, SCORES
from algorithms.artifacts.wish import Arrays
from algorithms.attacks.substitute.answers import taught
from algorithms.threats.threat import Box, Threat
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.cards import Inspection, ModelCard
from models.named_arrays import packed
from workers import answered_rows
from workers.endings import Done, Ending
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import AboutModel, Floats, Integers, Message, Natural, Seconds

MODEL_BYTES = 16 << 20  # of a substitute for images of few classes
ROW_BYTES = 1024  # of weights, for each number that a vector has and for each class: HIDDEN and some to spare

Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class Imitate(Message):
    """The runner shall train a substitute on these rows, and choose `wanted` rows; 0: it hands the substitute over."""

    kind = "imitate"

    card: ModelCard  # of the substitute, before anybody has looked at it
    device: str
    x: Floats  # (n, *shape)
    labels: Integers  # (n,)
    scores: Floats  # (n, classes or 0), below the row's largest
    held_out: int  # the first of the rows, which nothing is learned from
    classes: int
    lower: Floats  # of the box: () or (*shape)
    upper: Floats
    step: float
    wanted: int
    is_active: bool
    seed: int
    round: int
    convolutions: int | None  # of the substitute; None: those of the one that agrees most in this round


class Imitated(Message):
    """How far the substitute agrees, and the rows chosen (k, *shape); or the substitute and what its card will say."""

    kind = "imitate.done"

    agreement: Share
    convolutions: Natural
    rows: Floats
    model: bytes
    inspection: Inspection | None
    seconds: Seconds


# In the supervisor


def supervise(lease: JobLease, desk: Desk) -> Ending:
    spec, known, before = lease.spec, answered_rows.read(lease, desk), lease.prepared
    assert before is not None  # rows were asked about first
    held_out, trained = int(known[HELD_OUT][0]), int(before.details.get("rounds", 0))
    later = spec.rounds[trained + 1 :]
    threat, params = spec.threat.threat(spec.shape), spec.request.method.model_dump()
    chosen = before.details.get("convolutions")
    asked = Imitate(
        card=lease.model,
        device="cpu",
        x=known[ROWS],
        labels=known[LABELS],
        scores=known[SCORES],
        held_out=held_out,
        classes=spec.model.classes.count,
        lower=threat.box.lower,
        upper=threat.box.upper,
        step=params["step"],
        wanted=later[0] if later else 0,
        is_active=params["selection"] == "active",
        seed=spec.request.seed,
        round=trained,
        convolutions=None if chosen is None else int(chosen),
    )
    numbers = known[ROWS][0].size
    most = MODEL_BYTES + ROW_BYTES * (numbers + asked.classes) + 4 * numbers * asked.wanted
    answer = desk.ask(asked, Imitated, limit=most)
    believe(answer, asked, threat)
    kept = before.model_copy(
        update={
            "seconds": before.seconds + answer.seconds,
            "details": {
                "rounds": trained + 1,
                "learned_rows": len(known[ROWS]) - held_out,
                "held_out": held_out,
                "convolutions": answer.convolutions,
                **({"agreement": answer.agreement} if held_out else {}),
            },
        }
    )
    if answer.inspection is None:
        return _go_on(kept, {**known, ROWS: np.concatenate([known[ROWS], answer.rows])}, desk)
    digest = desk.keep(answer.model)
    made = {"id": f"mdl_{digest[:22]}", "sha256": digest, "size_bytes": len(answer.model)}
    named = {"classes_named": lease.model.classes_named}  # as the model's own are: labels are read by them
    card = lease.model.inspected(answer.inspection).model_copy(update=made | named)
    fields = {"prepared": kept.model_dump_json(), "substitute": card.model_dump_json()}
    return Done(Commit(fields=fields, digests=(digest,)))


def _go_on(kept: Preparation, known: Arrays, desk: Desk) -> Ending:
    artifact = desk.keep(packed(known))
    fields = {"prepared": kept.model_copy(update={"artifact": artifact}).model_dump_json()}
    given_up = () if artifact == kept.artifact else (kept.artifact,)  # where no new row was to be found
    return Done(Commit(fields=fields, digests=(artifact,), given_up=given_up))


def believe(answer: Imitated, asked: Imitate, threat: Threat[Any]) -> None:
    """Raises FrameError where rows or substitute cannot be what was asked for."""
    shape = asked.x.shape[1:]
    if answer.rows.shape[1:] != shape or len(answer.rows) > asked.wanted:
        raise FrameError("the rows to ask about are not those of this model")
    if not all(threat.allows(row, row) for row in answer.rows):
        raise FrameError("the rows to ask about are not valid")
    if asked.convolutions not in (None, answer.convolutions):
        raise FrameError("the substitute is of another design than before")
    found = answer.inspection
    if (found is None) != (asked.wanted > 0):
        raise FrameError("a substitute was handed over too early, or not at all")
    if found is not None and (found.input.shape, found.output.classes) != (shape, asked.classes):
        raise FrameError("the substitute is for another model")


# In the runner


def imitate(asked: Imitate, bench: Bench) -> Imitated:
    """Makes the substitute, in the runner, and chooses the rows that come next."""
    from models.onnx.imitation.export import exported
    from models.onnx.imitation.fitting import fit
    from models.onnx.imitation.learning import agreement, best, next_rows
    from models.onnx.imitation.network import designs

    began = monotonic()
    held, labels = asked.held_out, asked.labels
    x = np.array(asked.x)  # torch takes no array that cannot be written
    answers = taught(labels[held:], asked.scores[held:], asked.classes)
    fitting = [d for d in designs(x.shape[1:], asked.classes) if asked.convolutions in (None, d.convolutions)]
    trained = [fit(d, x[held:], answers, seed=asked.seed, number=asked.round, tell=bench.tell) for d in fitting]
    network = best(trained, x[:held], labels[:held])
    model, inspection, rows = b"", None, x[:0]
    if asked.wanted:
        threat = Threat[Any](box=Box(asked.lower, asked.upper))
        rows = next_rows(
            network,
            x[held:],
            np.maximum(labels[held:], 0),
            threat,
            known=x[:held],
            step=asked.step,
            wanted=asked.wanted,
            is_active=asked.is_active,
        )
    else:
        model = exported(network)
        inspection = bench.inspect(AboutModel(card=asked.card, device=asked.device, model=model))
    return Imitated(
        agreement=agreement(network, x[:held], labels[:held]),
        convolutions=network.design.convolutions,
        rows=rows,
        model=model,
        inspection=inspection,
        seconds=monotonic() - began,
    )


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to train a substitute of the model; try again.",
    answers=(RunnerAnswer(Imitate, imitate),),
)
