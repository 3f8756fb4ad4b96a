"""What a runner may do at a remote endpoint, decided just before it is asked: trust, and the secret to send along."""

from dataclasses import dataclass
from typing import Any

from jobs.credentials import Credential, Seal
from jobs.lease import Lease
from jobs.settings import Settings


class NotPermitted(Exception):
    """The endpoint may not be called; `detail` says what has to change."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Permit:
    credential: Credential | None

    @property
    def fields(self) -> dict[str, Any]:
        """As the runner reads it. The secret goes this way and no other: never in arguments or an environment."""
        secret = self.credential
        return {"trusted": True, "credential": None if secret is None else [secret.name, secret.value]}


class Permits:
    def __init__(self, settings: Settings) -> None:
        self._trusted_origins = frozenset(settings.trusted_origins)
        self._seal = Seal(settings.secret_keys)

    def of(self, lease: Lease) -> Permit | None:
        """None: the lease is about no endpoint. Raises NotPermitted."""
        card = lease.model
        if card is None or card.endpoint is None:
            return None
        if card.endpoint.origin not in self._trusted_origins:
            raise NotPermitted(
                "The operator does not trust this endpoint's origin (any more); BRINELL_TRUSTED_ORIGINS has to name it."
            )
        if lease.sealed is None:
            return Permit(None)
        credential = self._seal.open(lease.sealed, tenant=lease.tenant, model_id=card.id)
        if credential is None:
            raise NotPermitted("No key of this installation opens the endpoint's credential; register it again.")
        return Permit(credential)
