"""What a runner may do at a remote endpoint, decided just before it is asked: trust, and the secret to send along."""

from jobs.credentials import Seal
from jobs.installation.settings import Settings
from jobs.work.lease import AuditLease, Lease, PropertyLease
from workers.messages import CallPermission


class NotPermitted(Exception):
    """The endpoint may not be called; `detail` says what has to change."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Permits:
    """Decides for each lease."""

    def __init__(self, settings: Settings) -> None:
        self._trusted_origins = frozenset(settings.trusted_origins)
        self._seal = Seal(settings.secret_keys)

    def of(self, lease: Lease) -> CallPermission | None:
        """Says what the lease's runner may call; None where it is about no endpoint. Raises NotPermitted."""
        endpoint = lease.endpoint
        if isinstance(lease, AuditLease | PropertyLease) or endpoint is None:
            return None
        if endpoint.origin not in self._trusted_origins:
            raise NotPermitted(
                "The operator does not trust this endpoint's origin (any more); BRINELL_TRUSTED_ORIGINS has to name it."
            )
        if lease.sealed is None:
            return CallPermission(trusted=True, credential=None)
        credential = self._seal.open(lease.sealed, tenant=lease.tenant, model_id=lease.model.id)
        if credential is None:
            raise NotPermitted("No key of this installation opens the endpoint's credential; register it again.")
        return CallPermission(trusted=True, credential=(credential.name, credential.value))
