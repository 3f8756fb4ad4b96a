"""Models and samples from this machine's files or by the ids of what is uploaded already, with the progress shown."""

from pathlib import Path
from tempfile import TemporaryDirectory

from brinell.client import Client
from brinell.errors import BrinellError
from brinell.files.single_onnx import Unfoldable, fold
from brinell.printing.progress import progress
from brinell.records import ModelCard, SamplesCard
from brinell.wire.deadline import Deadline


def upload_model(
    client: Client,
    path: Path,
    deadline: Deadline,
    *,
    name: str | None = None,
    kind: str = "onnx",
    preprocessing: str | None = None,
    output: str | None = None,
) -> ModelCard:
    """Uploads a model, with its progress shown, and returns it once it is ready.

    Weights that lie in a file beside it are folded into one, where onnx is installed.
    """

    def upload(file: Path, what: str) -> ModelCard:
        with progress(f"Uploading {what}") as advance:
            model = client.upload_model(
                file,
                name=name or path.name,
                kind=kind,
                preprocessing=preprocessing,
                output=output,
                timeout_seconds=deadline.seconds_left,
                on_sent=lambda sent, total: advance(sent / total, "inspecting" if sent == total else ""),
            )
            advance(1.0, model["state"])
        return model

    try:
        return upload(path, path.name)
    except BrinellError as error:
        if error.code != "external_data_forbidden":
            raise
        with TemporaryDirectory() as folder:
            return upload(_folded(path, Path(folder), error), f"{path.name} with its weights")


def _folded(path: Path, folder: Path, refusal: BrinellError) -> Path:
    """Raises the refusal, with what can be done, where the weights cannot be folded in."""
    try:
        return fold(path, folder)
    except ImportError:
        whole = path.with_name(f"{path.stem}-whole{path.suffix}")
        detail = f"Where onnx is installed: python -c \"import onnx; onnx.save(onnx.load('{path}'), '{whole}')\""
    except Unfoldable as reason:
        detail = f"They could not be folded into {path.name}: {reason}."
    raise BrinellError(f"{refusal.detail} {detail}", code=refusal.code, problem=refusal.problem | {"errors": []})


def upload_samples(client: Client, path: Path, *, name: str | None = None) -> SamplesCard:
    """Uploads samples, with the progress shown."""
    with progress(f"Uploading {path.name}") as advance:
        return client.upload_samples(path, name=name, on_sent=lambda sent, total: advance(sent / total))


def is_id(text: str, prefix: str) -> bool:
    """Tells whether a text is an id such as mdl_…, unless a file has that name."""
    return text.startswith(prefix) and not Path(text).exists()


def ids_of(
    client: Client, model: str, samples: str, deadline: Deadline, *, output: str | None = None
) -> dict[str, str]:
    """Returns `model_id` and `samples_id` for a request; each is given as a path, which is uploaded, or as an id.

    A model that is an .npz is a set of nearest neighbors. `output`: what an uploaded model's output is.
    """
    return {
        "model_id": model_id_of(client, model, deadline, output=output),
        "samples_id": samples if is_id(samples, "smp_") else upload_samples(client, Path(samples))["id"],
    }


def model_id_of(client: Client, model: str, deadline: Deadline, *, output: str | None = None) -> str:
    """Returns a model's id for a request, as `ids_of` does."""
    if is_id(model, "mdl_"):
        return model
    path = Path(model)
    kind = "neighbors" if path.suffix == ".npz" else "onnx"
    return upload_model(client, path, deadline, kind=kind, output=output)["id"]
