"""inspect: what an uploaded model, or an endpoint, is; found out by trying."""

from jobs.work.lease import Commit, ModelLease
from models.cards import Inspection
from workers.endings import Done, Ending, ModelRefused
from workers.kind import Bench, Desk, ProcessorLimit, RunnerAnswer, WorkKind
from workers.messages import AboutModel, Message, NotAccepted


class InspectModel(AboutModel):
    """Have a look at this model."""

    kind = "inspect"


class ModelInspected(Message):
    """What the model is."""

    kind = "inspect.done"

    inspection: Inspection


def supervise(lease: ModelLease, desk: Desk) -> Ending:
    answer = desk.ask(desk.about_model(InspectModel), ModelInspected, NotAccepted)
    if isinstance(answer, NotAccepted):
        return ModelRefused(answer.code, answer.detail)
    assert isinstance(answer, ModelInspected)
    card = lease.model.inspected(answer.inspection)
    return Done(Commit(fields={"card": card.model_dump_json()}))


def inspect(asked: InspectModel, bench: Bench) -> ModelInspected:
    """Looks at the model, in the runner."""
    return ModelInspected(inspection=bench.inspect(asked))


def _too_slow(seconds: float) -> Ending:
    return ModelRefused(
        "model_too_complex",
        f"Looking into the model took more than {seconds:.0f} s of processor time; export a smaller one, or have the"
        " operator raise BRINELL_INSPECT_SECONDS.",
    )


def _idle(seconds: float) -> Ending:
    return ModelRefused(
        "model_invalid",
        f"Looking into the model took more than {seconds:.0f} s by the clock and little of the processor: it waits for"
        " something that never comes, where models have nothing to wait for. Export it again with a current exporter.",
    )


KIND = WorkKind(
    lease=ModelLease,
    supervise=supervise,
    apology="The service failed to inspect the model; try again.",
    answers=(RunnerAnswer(InspectModel, inspect),),
    limit=ProcessorLimit(
        seconds=lambda settings: settings.inspect_seconds,
        passed=_too_slow,
        idle_seconds=lambda settings: 2 * settings.inspect_seconds,
        idled=_idle,
    ),
)
