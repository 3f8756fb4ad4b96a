"""`/healthz`, `/readyz`, `/metrics`: for whoever operates the service. No key; bind /metrics privately."""

from collections import Counter
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from algorithms.errors import Unavailable
from jobs.store.sections.workers import WorkerRecord
from models.record import Record
from service.edge.dependencies import Parts, TheParts
from service.openapi.declaring import answers, declares

router = APIRouter(tags=["service"])

RETRY_SECONDS = 2


class Liveness(Record):
    """The process that answers this is alive."""

    status: Literal["alive"] = "alive"


class Readiness(Record):
    """The service can take a job to its end. `isolation` says how strictly uploaded models are locked up where they
    run: `strict`, `basic`, or both, where workers differ; `isolation_denied`, which layers of `strict` some machine
    denied. `basic` with none denied was chosen.
    """

    status: Literal["ready"] = "ready"
    workers: dict[str, int]
    isolation: str
    isolation_denied: tuple[str, ...]


@router.get("/healthz", response_model=Liveness, responses=answers(200, "This process answers."))
async def get_liveness() -> Liveness:
    """Tells that this process answers, also while all of its threads wait for Redis."""
    return Liveness()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=answers(200, "Redis, the library, and workers for jobs and for uploads are there.")
    | declares(guarded=False),
)
def get_readiness(parts: TheParts) -> Readiness:
    """Tells whether a job could be taken to its end now; a 503 names the part that is missing."""
    workers = _workers(parts)
    kinds = Counter[str](worker.kind for worker in workers)
    if not kinds["compute"]:
        raise Unavailable("Not ready: no compute worker has beaten lately; start one.", retry_after=RETRY_SECONDS)
    if not any("inspect" in worker.info.get("queues", ()) for worker in workers):
        raise Unavailable("Not ready: no worker takes uploads; start one of -Q inspect.", retry_after=RETRY_SECONDS)
    found = sorted({str(worker.info.get("isolation", "basic")) for worker in workers})
    denied = sorted({str(layer) for worker in workers for layer in worker.info.get("isolation_denied", ())})
    return Readiness(workers=dict(kinds), isolation=", ".join(found), isolation_denied=tuple(denied))


def _workers(parts: Parts) -> list[WorkerRecord]:
    try:
        parts.store.ping()
        parts.library.check()
        return parts.store.workers.live()
    except Unavailable as error:
        raise Unavailable(f"Not ready: {error.detail}", retry_after=RETRY_SECONDS) from None


@router.get(
    "/metrics",
    response_class=Response,
    responses=answers(200, "Prometheus text.", media_type="text/plain"),
)
def get_metrics(request: Request) -> Response:
    """Returns the metrics as Prometheus reads them."""
    return Response(request.app.state.meter.text(), media_type=CONTENT_TYPE_LATEST)
