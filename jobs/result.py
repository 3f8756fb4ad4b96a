"""What computing one chunk of a job gave."""

from algorithms.seam.claims import Finding
from models.record import Record


class ChunkResult(Record):
    """A result is what computing one chunk gave and cost."""

    findings: tuple[Finding, ...]
    adversarials: str | None = None  # sha256 of an npz {index, x, label} in the library
    queries: int = 0
    gradients: int = 0
    http_calls: int = 0
    seconds: float = 0.0
    device: str
    isolation: str
    isolation_denied: tuple[str, ...] = ()  # layers of the strictest level that the machine denied
    versions: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
