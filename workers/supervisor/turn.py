"""How long one tenant's turn lasts at this worker: a few chunks, where more tenants wait than runners are kept.

With one chunk a turn, three tenants on a worker that keeps two runners would have a new process at every chunk.
"""

IN_A_ROW = 4  # chunks of a tenant while others wait: each of them begins after four of each other at most


class Turn:
    """A turn is whose chunks were taken last, and how many in a row."""

    def __init__(self) -> None:
        self._tenant: str | None = None
        self._taken = 0

    @property
    def again(self) -> str | None:
        """Returns the tenant whose turn is not over."""
        return self._tenant if self._taken < IN_A_ROW else None

    def take(self, tenant: str) -> None:
        """Counts a chunk of this tenant."""
        self._taken = self._taken + 1 if tenant == self._tenant else 1
        self._tenant = tenant
