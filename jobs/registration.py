"""The body of `POST /v1/models` for an endpoint, and the card and the secret that it becomes. Nothing is asked yet."""

import json
import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import prod
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from algorithms.errors import Refused
from models.cards import CredentialFacts, Endpoint, EndpointInput, EndpointOutput, Limits, ModelCard
from models.credential import Credential
from models.endpoints import PROTOCOLS
from models.endpoints._urls import address_of
from models.endpoints.open_inference_v2 import MODEL_PATH
from models.record import Record

MOST_NUMBERS = 2**24  # of one row, and of one request
MOST_BYTES = 512 << 10  # of what describes an endpoint: it is a part of the card, which is sent and kept as a whole
LONGEST_SECRET = 8192
FORBIDDEN_HEADERS = re.compile(
    r"host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept.*|proxy-.*|user-agent"
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def _may_be_sent(name: str) -> str:
    if not _TOKEN.fullmatch(name) or FORBIDDEN_HEADERS.fullmatch(name.lower()):
        raise ValueError("this header cannot be set; use one of the endpoint's own, such as Authorization or X-Api-Key")
    return name


def _is_a_value(secret: SecretStr) -> SecretStr:
    if not _VALUE.fullmatch(secret.get_secret_value()) or len(secret) > LONGEST_SECRET:
        raise ValueError(f"a secret has 1 to {LONGEST_SECRET} visible ASCII characters in one line")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_is_a_value)]


class Bearer(Record):
    """The token is sent as `Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: Secret

    @property
    def credential(self) -> Credential:
        """Returns the header to send."""
        return Credential("Authorization", f"Bearer {self.token.get_secret_value()}")


class Header(Record):
    """The secret is sent as a header of its own."""

    type: Literal["header"]
    name: Annotated[str, AfterValidator(_may_be_sent)]
    value: Secret

    @property
    def credential(self) -> Credential:
        """Returns the header to send."""
        return Credential(self.name, self.value.get_secret_value())


class EndpointRequest(Record):
    """The body describes a model that already serves. `options` are those of the protocol (`docs/api.md`)."""

    kind: Literal["endpoint"]
    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    url: str
    protocol: str
    input: EndpointInput
    output: EndpointOutput
    auth: Annotated[Bearer | Header, Field(discriminator="type")] | None = None
    limits: Limits = Limits()
    options: dict[str, Any] = {}


@dataclass(frozen=True)
class Registration:
    """A registration is a card, the document that its digest names (the endpoint without secret), and the secret."""

    card: ModelCard
    document: bytes
    credential: Credential | None


def register(request: EndpointRequest, *, model_id: str, now: datetime, trusted_origins: Set[str]) -> Registration:
    """Makes the card of an endpoint and parts it from its secret. Raises Refused(invalid_request) with a pointer."""
    address = address_of(request.url, trusted_origins)
    _check_target(request.protocol, address.target)
    _check_size(request.input.shape, request.limits.max_batch)
    endpoint = Endpoint(
        url=request.url,
        origin=address.origin,
        protocol=request.protocol,
        options=_options(request),
        input=request.input,
        output=request.output,
        limits=request.limits,
    )
    document = endpoint.model_dump_json().encode()
    if len(json.dumps(endpoint.model_dump(mode="json"))) > MOST_BYTES:  # as it crosses the pipe
        raise Refused(
            f"What describes an endpoint may have {MOST_BYTES >> 10} KiB; shorten its options or the names of classes."
        )
    credential = request.auth.credential if request.auth else None
    card = ModelCard(
        id=model_id,
        kind=request.kind,
        name=request.name,
        state="inspecting" if address.origin in trusted_origins else "unverified",
        sha256=sha256(document).hexdigest(),
        size_bytes=len(document),
        endpoint=endpoint,
        credential=CredentialFacts(fingerprint=credential.fingerprint) if credential else None,
        created_at=now,
    )
    return Registration(card, document, credential)


def _options(request: EndpointRequest) -> dict[str, Any]:
    """As the protocol reads them, defaults filled in."""
    if request.protocol not in PROTOCOLS:
        known = ", ".join(sorted(PROTOCOLS))
        raise Refused(f"This protocol is not spoken here; choose one of {known}.", pointer="/protocol")
    try:
        return PROTOCOLS[request.protocol].Options.model_validate(request.options).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise Refused(f"The protocol's options: {message}.", pointer=_pointer("/options", first["loc"])) from None


def _pointer(start: str, loc: tuple[int | str, ...]) -> str:
    return start + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


def _check_target(protocol: str, target: str) -> None:
    """Other addresses than a model's infer call may be those of a gateway, and are tried."""
    if protocol == "open_inference_v2" and MODEL_PATH.fullmatch(target):
        raise Refused("Here a server describes its model; add /infer, where it takes rows.", pointer="/url")


def _check_size(shape: tuple[int, ...], max_batch: int) -> None:
    row = prod(shape)
    if row > MOST_NUMBERS:
        raise Refused(f"A row may have at most {MOST_NUMBERS} numbers.", pointer="/input/shape")
    if max_batch * row > MOST_NUMBERS:
        most = MOST_NUMBERS // row
        raise Refused(
            f"A request may have at most {MOST_NUMBERS} numbers; with rows of {row} lower limits.max_batch to {most}.",
            pointer="/limits/max_batch",
        )
