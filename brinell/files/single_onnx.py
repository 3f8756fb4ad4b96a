"""Folds the weights that torch writes to a file beside a model into the model, since one file is uploaded.

Names of files come from the model, and may be of a stranger's: only what lies in the model's own folder is read.
"""

from pathlib import Path
from typing import Any

MOST_BYTES = 2**31 - 1  # of one file of protobuf


class Unfoldable(Exception):
    """The weights cannot be read into the model; says why."""


def fold(path: Path, folder: Path) -> Path:
    """Writes the model at `path` with all its weights as one file into `folder`, and returns where.

    Raises ImportError where onnx is not installed, Unfoldable.
    """
    import onnx  # only this needs it, and the client is installed without
    from onnx.external_data_helper import load_external_data_for_tensor

    model = onnx.load(path, load_external_data=False)
    size = path.stat().st_size
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        size += _size_beside(path.parent, {entry.key: entry.value for entry in tensor.external_data})
        if size > MOST_BYTES:
            raise Unfoldable("with its weights it is larger than 2 GiB")
        try:
            load_external_data_for_tensor(tensor, str(path.parent))
        except (OSError, ValueError, onnx.checker.ValidationError):
            raise Unfoldable("the file with its weights is shorter than it says, or cannot be read") from None
    whole = folder / path.name
    whole.write_bytes(model.SerializeToString())
    return whole


def _size_beside(folder: Path, told: dict[str, Any]) -> int:
    """Bytes of one tensor, in a plain file of this folder. Raises Unfoldable."""
    name = told.get("location", "")
    file = folder / name
    if Path(name).name != name or name in ("", "..") or file.is_symlink():
        raise Unfoldable("it names weights in another folder, or behind a link")
    if not file.is_file():
        raise Unfoldable("the file with its weights does not lie beside it")
    return int(told["length"]) if told.get("length", "").isdecimal() else file.stat().st_size
