"""`POST /v1/models` with a JSON body registers an endpoint. It is not asked here, but by a probe worker."""

from datetime import UTC, datetime
from functools import partial

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from algorithms.errors import Refused
from jobs.credentials import Seal
from jobs.idempotency import Idempotency
from jobs.registration import EndpointRequest, register
from jobs.store.names import new_id
from models.cards import ModelCard
from service.edge.dependencies import Parts
from service.wire.bodies import json_body
from service.wire.idempotent import idempotency

_read = json_body(EndpointRequest)


async def register_endpoint(request: Request, tenant: str, key: str | None, parts: Parts) -> ModelCard:
    """Makes an inspecting or unverified model of the endpoint that the body describes. Raises RequestValidationError,
    Refused.
    """
    if request.query_params:
        raise Refused("An endpoint is described by its body alone; put name and kind there, and leave the query out.")
    body = await _read(request)
    once = idempotency(key, request, body.model_dump(mode="json") | _secret_of(body))
    return await run_in_threadpool(partial(_take, body, tenant=tenant, once=once, parts=parts))


def _secret_of(body: EndpointRequest) -> dict[str, str]:
    """What the dump hides, so that another secret is another request. Only its digest is kept."""
    return {"secret": body.auth.credential.value} if body.auth else {}


def _take(body: EndpointRequest, *, tenant: str, once: Idempotency | None, parts: Parts) -> ModelCard:
    trusted = frozenset(parts.settings.trusted_origins)
    made = register(body, model_id=new_id("model"), now=datetime.now(UTC), trusted_origins=trusted)
    sealed = None
    if made.credential is not None:
        sealed = Seal(parts.settings.secret_keys).close(made.credential, tenant=tenant, model_id=made.card.id)
    parts.store.holdings.put(tenant, made.card.id, made.document)
    return parts.store.models.add(tenant, made.card, once, sealed=sealed)
