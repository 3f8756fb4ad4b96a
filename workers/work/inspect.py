"""inspect: what an uploaded model, or an endpoint, is; found out by trying."""

from jobs.lease import Lease
from models.cards import Inspection
from workers.endings import Ending, Inspected, ModelRefused
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import AboutModel, Message, NotAccepted


class InspectModel(AboutModel):
    """Have a look at this model."""

    kind = "inspect"


class ModelInspected(Message):
    """What the model is."""

    kind = "inspect.done"

    inspection: Inspection


def supervise(lease: Lease, desk: Desk) -> Ending:
    del lease  # it is about its model, and no more
    answer = desk.ask(desk.about_model(InspectModel), ModelInspected, NotAccepted)
    if isinstance(answer, NotAccepted):
        return ModelRefused(answer.code, answer.detail)
    assert isinstance(answer, ModelInspected)
    return Inspected(answer.inspection)


def inspect(asked: InspectModel, bench: Bench) -> ModelInspected:
    """In the runner."""
    return ModelInspected(inspection=bench.inspect(asked))


KIND = WorkKind(
    supervise=supervise,
    apology="The service failed to inspect the model; try again.",
    answers=(RunnerAnswer(InspectModel, inspect),),
    patience=60.0,  # as long as a client can wait for it; a file that takes longer is refused
)
