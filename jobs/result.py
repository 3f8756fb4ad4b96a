"""What computing one chunk of a job gave, and what one of its findings is with all that is kept of it."""

from algorithms.seam.claims import Finding
from models.record import Record


class ChunkResult(Record):
    """A result is what computing one chunk gave and cost."""

    findings: tuple[Finding, ...]
    curve_seconds: dict[int, tuple[float, ...]] = {}  # by index: when the points of details.curve were reached
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


class WholeFinding(Finding):
    """A whole finding has all of its details, and beside them the seconds that a finding itself must not depend on."""

    curve_seconds: tuple[float, ...] | None = None  # since its chunk began, one for each point of `details.curve`
