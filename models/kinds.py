"""The kinds of model, one row each: all that HTTP, the store, the workers and reports must know of a kind.

Nothing here opens a model. The module that can is named by the row, and `models/opening.py` imports it in a runner, so
that the API and the supervisor read this table without a tensor library. `docs/adding-a-model-kind.md` adds a row.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

MediaType = Literal["application/octet-stream", "application/json"]


@dataclass(frozen=True)
class ModelKind:
    """A model kind is a kind of model as the rest of the service sees it."""

    name: str  # in `?kind=` of an upload, in `kind` of a JSON body, and on cards
    summary: str  # what arrives, for people
    arrives: MediaType  # bytes as they are, or a description that `jobs/registration.py` reads
    module: str  # what inspects and opens it: an `Opener` of `models/opening.py`
    is_remote: bool = False  # served elsewhere: asked with a permit, by probe workers, which hold no uploaded model
    takes_preprocessing: bool = False
    takes_output: bool = False  # `output=` of an upload: its numbers may have to be told apart


ONNX = ModelKind(
    name="onnx",
    summary="an ONNX file",
    arrives="application/octet-stream",
    module="models.onnx.opening",
    takes_preprocessing=True,
    takes_output=True,
)
ENDPOINT = ModelKind(
    name="endpoint",
    summary="the description of a model that serves over HTTP",
    arrives="application/json",
    module="models.endpoints._opening",
    is_remote=True,
)
NEIGHBORS = ModelKind(
    name="neighbors",
    summary="an .npz with `x`, `y`, `k` and optionally `metric` or `g`",
    arrives="application/octet-stream",
    module="models.neighbors.opening",
)

KINDS: dict[str, ModelKind] = {kind.name: kind for kind in (ONNX, ENDPOINT, NEIGHBORS)}
UPLOADED = tuple(kind for kind in KINDS.values() if kind.arrives == "application/octet-stream")

if TYPE_CHECKING:
    KindName = str
    UploadedName = str
else:  # so that requests are checked and OpenAPI lists the names, without a line for each
    KindName = Literal[tuple(KINDS)]
    UploadedName = Literal[tuple(kind.name for kind in UPLOADED)]
