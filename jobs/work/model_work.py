"""What is to be done on a model until it is ready, where that is more than to inspect its bytes."""

from dataclasses import dataclass

from jobs.spec import QueueName
from models.record import Record


@dataclass(frozen=True)
class ModelWork:
    """Work on a model is of a kind, is told what that kind's own record says, and holds what it reads.

    `kind`: a file of `workers/work/`. `spec`: what it is told, which its lease hands out as JSON. `uses`: ids of ready
    models and of samples, which cannot be removed meanwhile. `queue`: the one whose workers do it. `seconds`: from its
    first lease on; when they have passed the model is refused. None: no end.
    """

    kind: str
    spec: Record | None = None
    uses: tuple[str, ...] = ()
    queue: QueueName = "compute"
    seconds: float | None = None
