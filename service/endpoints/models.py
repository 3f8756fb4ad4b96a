"""`/v1/models`: upload a model or register an endpoint, watch its inspection, list and delete."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from algorithms.errors import Refused
from jobs.page import Page
from jobs.store.store import Store
from models.cards import Meaning, ModelCard, Preprocessing
from models.kinds import KINDS, ONNX, UPLOADED, UploadedName
from service.actions.intake import arriving, take_model
from service.actions.registering import register_endpoint
from service.edge.dependencies import Cursor, Limit, ModelsReader, ModelsWriter, Name, TheParts
from service.openapi.declaring import answers, declares, takes_bytes, takes_json, takes_one_of
from service.openapi.examples import ENDPOINT_REQUEST, TEMPLATE_REQUEST
from service.wire.bodies import parse
from service.wire.idempotent import IdempotencyKey, idempotency
from service.wire.problems import problem_response
from service.wire.uploads import media_type
from service.wire.waiting import Prefer, applied, seconds_of, wait_until

router = APIRouter(tags=["models"])

GATE_REFUSALS = (
    "model_unparseable",
    "external_data_forbidden",
    "custom_domain_forbidden",
    "op_not_supported",
    "model_too_complex",
    "tensor_size_mismatch",
    "shape_bomb",
    "unsupported_signature",
    "model_invalid",
)
LOCATION = {"Location": "Where the model is.", "Preference-Applied": "The wait that was honored."}

UploadedKind = Annotated[
    UploadedName,
    Query(description=f"What the bytes are: {'; '.join(f'`{kind.name}`, {kind.summary}' for kind in UPLOADED)}."),
]
PreprocessingText = Annotated[
    str | None,
    Query(
        max_length=200_000,
        description="JSON `{subtract, divide}`: x -> (x - subtract) / divide, numbers or one per channel.",
        examples=['{"subtract": 0.5, "divide": 0.25}'],
    ),
]
OutputMeaning = Annotated[
    Meaning | None,
    Query(
        description=(
            "What the model's output is, where its graph does not tell: one number a row is a `logit` or a `decision` "
            "(class 1 above 0) or a `probability` (class 1 above 1/2); `label` takes the output of labels."
        )
    ),
]


@router.post(
    "/v1/models",
    status_code=202,
    response_model=ModelCard,
    responses=answers(202, "Kept; being inspected.", headers=LOCATION | {"Retry-After": "s"})
    | answers(201, "Ready, within the wait.", headers=LOCATION)
    | declares(
        "length_required",
        "too_slow",
        "model_too_large",
        "media_type",
        "invalid_request",
        "not_available",
        "idempotency_key_reused",
        "quota_exceeded",
        "insufficient_storage",
        "endpoint_unavailable",
        "endpoint_bad_response",
        *GATE_REFUSALS,
    ),
    openapi_extra=takes_one_of(
        takes_bytes(f"As it is {', or '.join(kind.summary for kind in KINDS.values())}."),
        takes_json("EndpointRequest", endpoint=ENDPOINT_REQUEST, template=TEMPLATE_REQUEST),
    ),
)
async def create_model(
    request: Request,
    response: Response,
    caller: ModelsWriter,
    parts: TheParts,
    name: Name = "",
    kind: UploadedKind = ONNX.name,
    preprocessing: PreprocessingText = None,
    output: OutputMeaning = None,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> ModelCard | Response:
    """Takes a file and looks into it in a sandbox, or asks an endpoint. `Prefer: wait=30` waits for the verdict."""
    if media_type(request) == "application/json":
        if output is not None:
            raise Refused("What an endpoint answers stands in output.kind of the body; leave output out of the query.")
        card = await register_endpoint(request, caller.tenant, idempotency_key, parts)
        return await _verdict(card, request, response, caller.tenant, parts.store, seconds_of(prefer))
    before = read_preprocessing(preprocessing)
    if before is not None and not KINDS[kind].takes_preprocessing:
        raise Refused(f"A model of kind {kind} takes samples in its own units; leave preprocessing out.")
    if output is not None and not KINDS[kind].takes_output:
        raise Refused(f"A model of kind {kind} says itself what it answers; leave output out.")
    async with arriving(request, "model", caller.tenant, idempotency_key, parts) as (model_id, upload):
        once = idempotency(idempotency_key, request, upload.sha256)
        keep = partial(
            take_model,
            upload,
            kind,
            model_id=model_id,
            tenant=caller.tenant,
            name=name,
            preprocessing=before,
            output=output,
            once=once,
            parts=parts,
        )
        card = await run_in_threadpool(keep)
    return await _verdict(card, request, response, caller.tenant, parts.store, seconds_of(prefer))


async def _verdict(
    card: ModelCard, request: Request, response: Response, tenant: str, store: Store, seconds: int
) -> ModelCard | Response:
    """202 without a wait or when it ran out, 201 when ready, 422 with the refusal."""
    response.headers.update({"Location": f"/v1/models/{card.id}", **applied(seconds)})
    if seconds:
        card = await wait_until(
            lambda: store.models.get(tenant, card.id),
            lambda seen: seen.state != "inspecting",
            seconds=seconds,
            request=request,
        )
    if seconds and card.refusal is not None:
        headers = dict(response.headers)
        return problem_response(request, card.refusal.code, card.refusal.detail, model_id=card.id, headers=headers)
    if seconds and card.state == "ready":
        response.status_code = 201
    else:
        response.headers["Retry-After"] = "1"
    return card


@router.get(
    "/v1/models",
    response_model=Page[ModelCard],
    responses=answers(200, "Newest first.") | declares("invalid_request"),
)
def list_models(caller: ModelsReader, parts: TheParts, cursor: Cursor = None, limit: Limit = 100) -> Page[ModelCard]:
    """Lists the tenant's models, newest first."""
    return parts.store.models.page(caller.tenant, cursor, limit)


@router.get(
    "/v1/models/{model_id}",
    response_model=ModelCard,
    responses=answers(200, "The model.") | declares("not_found", "invalid_request"),
)
def get_model(model_id: str, caller: ModelsReader, parts: TheParts) -> ModelCard:
    """Returns a model as it stands."""
    return parts.store.models.get(caller.tenant, model_id)


@router.delete("/v1/models/{model_id}", status_code=204, responses=declares("not_found", "in_use", "invalid_request"))
def delete_model(model_id: str, caller: ModelsWriter, parts: TheParts) -> None:
    """Deletes a model that no live job uses."""
    parts.store.models.remove(caller.tenant, model_id)


@router.post(
    "/v1/models/{model_id}/verify",
    status_code=202,
    response_model=ModelCard,
    responses=declares("not_found", "not_available"),
)
def verify_model(model_id: str, caller: ModelsWriter, parts: TheParts) -> ModelCard:
    """Is reserved: it will show control of an endpoint's origin."""
    parts.store.models.get(caller.tenant, model_id)
    raise Refused(
        "Showing control of an origin is not built yet; its operator can trust it, by BRINELL_TRUSTED_ORIGINS.",
        code="not_available",
    )


def read_preprocessing(text: str | None) -> Preprocessing | None:
    """Reads the JSON of the query. Raises RequestValidationError, Refused(invalid_request)."""
    if text is None:
        return None
    try:
        return Preprocessing.model_validate(parse(text.encode()))
    except ValidationError as error:
        found = [{**e, "loc": ("query", "preprocessing", *e["loc"])} for e in error.errors(include_context=False)]
        raise RequestValidationError(found) from None
