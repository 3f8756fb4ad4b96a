"""onnxruntime: the fastest way to labels and scores, hardened, and bit-equal whatever company a row keeps.

One thread a call, and the rows of a question split over a small pool: with two threads inside a call, rows were seen
to change with their company. On a card a row's bits depend on the rows of its call by their number: there all calls
have one size. Telemetry is off by `ORT_DISABLE_TELEMETRY=1`, which whoever starts this process sets.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto
from onnxruntime.capi import onnxruntime_pybind11_state as native

from algorithms.errors import ModelFault
from algorithms.seam.access import Rows
from algorithms.threads import cores, shared_out
from models.device import PROCESSOR, Device, providers
from models.onnx.batch import FULL, Batch, CardIsFull
from models.onnx.graph import as_outputs

SLICE = 64  # rows a call at most: enough to keep one core busy
SLICE_NUMBERS = 2**18  # and numbers a call, where rows are large: activations are many times as much
CARD_SLICE, CARD_NUMBERS = 128, 2**24  # the same on a card, which has more to keep busy
FOLDED_BYTES = 64 * 2**20  # largest constant computed ahead; the default, 1 GiB, is reached by a 152-byte file

# onnxruntime's errors have no base of their own.
ERRORS: tuple[type[Exception], ...] = (
    MemoryError,
    RuntimeError,  # of its binding: a type that numpy has no name for
    ValueError,
    *(e for e in vars(native).values() if isinstance(e, type) and issubclass(e, Exception)),
)


def rows_a_call(shape: tuple[int, ...], most: int, least: int = 2, numbers: int = SLICE_NUMBERS) -> int:
    """Count rows a call: `most`, or fewer where rows are large; the same for a model whatever it is asked."""
    return max(least, min(most, numbers // math.prod(shape)))


def start(model: ModelProto, device: Device = "cpu") -> ort.InferenceSession:
    """Start a session from bytes. Raises ModelFault where onnxruntime will not have them."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # The layout of convolutions follows the machine's vector width: numbers are promised for one kind of processor.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_LAYOUT
    options.enable_cpu_mem_arena = False  # memory goes back, and the peak is the truth
    options.enable_mem_pattern = False
    options.log_severity_level = 4  # its messages quote the model
    options.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", str(FOLDED_BYTES))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.use_deterministic_compute = device == "cuda"
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=providers(device))
    except ERRORS as error:
        raise ModelFault("onnxruntime cannot load the model.") from error
    session.disable_fallback()  # in the middle of its answers, to another provider and other bits
    return session


def run(session: ort.InferenceSession, entry: str, rows: NDArray[Any], outputs: list[str] | None = None) -> list[Any]:
    """Ask a session. Raises ModelFault where the model fails on these rows."""
    try:
        return list(session.run(outputs, {entry: np.ascontiguousarray(rows)}))
    except ERRORS as error:
        if session.get_providers()[0] != PROCESSOR and any(words in str(error) for words in FULL):
            raise CardIsFull from error
        raise ModelFault("The model failed while it was asked; check that it runs on these inputs.") from error


def run_all(model: ModelProto, rows: NDArray[Any]) -> dict[str, Any]:
    """Ask for every value that a node of a graph with one input makes. Raises ModelFault."""
    names = [name for node in model.graph.node for name in node.output if name]
    open_ = ModelProto()
    open_.CopyFrom(model)
    open_.graph.ClearField("output")
    open_.graph.output.extend(as_outputs(model, names))
    return dict(zip(names, run(start(open_), model.graph.input[0].name, rows), strict=True))


class Session:
    """A session is asked for named outputs of one graph, row by row the same alone and in company."""

    def __init__(
        self, model: ModelProto, entry: str, shape: tuple[int, ...], batch: int | None, device: Device = "cpu"
    ) -> None:
        self._session = start(model, device)
        self._entry = entry
        self.provider = str(self._session.get_providers()[0])  # the processor's, where no other could be had
        is_on_card = self.provider != PROCESSOR
        self.batch = Batch(batch, is_given=True) if batch else _card_batch(shape) if is_on_card else None
        self._slice = rows_a_call(shape, SLICE)
        self.threads = 1 if is_on_card else cores()
        self._pool = ThreadPoolExecutor(self.threads)

    def ask(self, rows: Rows, output: str) -> NDArray[Any]:
        """Ask rows (m, *shape) for one output, (m, ...). Raises ModelFault."""
        return self.ask_each(rows, [output])[0]

    def ask_each(self, rows: Rows, outputs: list[str]) -> list[NDArray[Any]]:
        """Ask rows (m, *shape) for several outputs at once, each (m, ...). Raises ModelFault."""
        ask = partial(self._ask_each, rows, outputs)
        return ask(None) if self.batch is None else self.batch.ask(ask)

    def _ask_each(self, rows: Rows, outputs: list[str], fixed: int | None) -> list[NDArray[Any]]:
        if not len(rows):
            return [each[:0] for each in self._answers(np.zeros((1, *rows.shape[1:]), rows.dtype), outputs, fixed)]
        parts = self._parts(rows, fixed)
        if len(parts) == 1 and self.provider == PROCESSOR:  # handed over, a small question would cost thrice as much
            return self._answers(parts[0], outputs, fixed)
        found = shared_out(self._pool, self.threads, lambda part: self._answers(part, outputs, fixed), parts)
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def _parts(self, rows: Rows, fixed: int | None) -> list[Rows]:
        """Batches where their size is fixed, else equal slices for all threads."""
        if fixed is not None:
            return [rows[i : i + fixed] for i in range(0, len(rows), fixed)]
        count = -(-len(rows) // self._slice)
        if len(rows) >= 4 * self.threads:
            count = -(-count // self.threads) * self.threads
        return np.array_split(rows, count)

    def _answers(self, part: Rows, outputs: list[str], fixed: int | None) -> list[NDArray[Any]]:
        answers = run(self._session, self._entry, padded(part, fixed or 2), outputs)
        return [np.asarray(answer)[: len(part)] for answer in answers]


def _card_batch(shape: tuple[int, ...]) -> Batch:
    return Batch(rows_a_call(shape, CARD_SLICE, numbers=CARD_NUMBERS))


def padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Fill up to `size` rows by the last one: a single row takes another kernel, which may round otherwise."""
    missing = size - len(rows)
    return rows if missing <= 0 else np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
