"""How much a tenant has of everything that has a quota."""

from jobs.installation.quotas import Usage, limits
from jobs.store.connection.connection import Connection


class TenantUsage:
    """Tells a tenant what it uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, tenant: str) -> Usage:
        """Returns what the tenant has by now, and what it may have."""
        used = self._connection.call("usage", tenant=tenant)["used"]
        most = limits(self._connection.settings)
        return Usage.model_validate({name: {"used": used[name], "limit": most[name]} for name in most})
