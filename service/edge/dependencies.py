"""What endpoints may ask for by name: the parts of the application, who is calling, and common parameters."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from algorithms.errors import Denied
from audits.store import Audits
from jobs.installation.settings import Settings
from jobs.store.sections.keys import KeyRecord
from jobs.store.store import Store
from models.library import Library
from service.edge.hashing import Hashing
from service.edge.lanes import Lanes
from service.edge.rehashing import rehash
from service.edge.security import read_key
from service.edge.strangers import Strangers
from service.wire.queries import refuse_unknown

bearer = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer brn_...`")


@dataclass(frozen=True)
class Parts:
    """The application was handed these parts."""

    settings: Settings
    store: Store
    library: Library
    lanes: Lanes = field(default_factory=Lanes)

    @property
    def audits(self) -> Audits:
        """Returns the store of audits, which stands on the same connection."""
        return Audits(self.store)

    @cached_property
    def hashing(self) -> Hashing:
        """Returns how the secrets of API keys are hashed here."""
        return Hashing(self.settings.secret_keys)

    @cached_property
    def strangers(self) -> Strangers:
        """Returns what is remembered of those who come without a valid key."""
        return Strangers(self.settings.failed_keys_per_minute)


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]


@dataclass(frozen=True)
class Caller:
    """The caller is known by its tenant and its key."""

    tenant: str
    key_id: str


def authenticate(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    parts: TheParts,
) -> Caller:
    """Tells who is calling. Raises Denied(unauthenticated) without a valid key, Denied(scope_missing) where it lacks a
    scope, RateLimited.
    """
    record = _recognize(credentials.credentials if credentials else "", parts)
    if record is None:
        parts.strangers.fail(request.client.host if request.client else None)
        raise Denied("Send a valid API key: `Authorization: Bearer brn_...`; `brinell keys create` makes one.")
    request.state.tenant, request.state.key_id = record.tenant, record.id
    request.state.place.take(record.tenant)
    parts.store.keys.arrive(record)
    missing = [scope for scope in needed.scopes if scope not in record.scopes]
    if missing:
        raise Denied(f"This key lacks the scope {missing[0]}; use one that has it.", code="scope_missing")
    refuse_unknown(request)  # only now: a stranger learns nothing of the calls
    return Caller(tenant=record.tenant, key_id=record.id)


def _recognize(text: str, parts: Parts) -> KeyRecord | None:
    keys, presented = parts.store.keys, read_key(text)
    record = keys.get(presented.id) if presented else None
    stored = record.secret_hash if record else None
    if presented is None or not parts.hashing.fits(presented.secret, stored) or record is None:
        return None
    rehash(keys, record, presented.secret, parts.hashing)
    return record


AnyCaller = Annotated[Caller, Security(authenticate, scopes=[])]
ModelsReader = Annotated[Caller, Security(authenticate, scopes=["models:read"])]
ModelsWriter = Annotated[Caller, Security(authenticate, scopes=["models:write"])]
SamplesReader = Annotated[Caller, Security(authenticate, scopes=["samples:read"])]
SamplesWriter = Annotated[Caller, Security(authenticate, scopes=["samples:write"])]
JobsReader = Annotated[Caller, Security(authenticate, scopes=["jobs:read"])]
JobsWriter = Annotated[Caller, Security(authenticate, scopes=["jobs:write"])]

Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before; opaque.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page may have.")]
Name = Annotated[
    str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="For people; need not be unique.")
]
