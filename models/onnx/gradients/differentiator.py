"""The graph rebuilt in torch, for gradients.

Each call is one thread and one fixed number of rows, padded where there are fewer, so that a row's gradient does not
depend on its company; slices run side by side in a small pool. `benchmarks/jacobian_ways.py` and
`docs/decisions/gradients.md` say why so: one forward pass, then one backward pass for every rival's difference, no
gradients of weights.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from torch import Tensor

from algorithms.errors import ModelFault
from algorithms.seam.access import Labels, Rows, Scores
from algorithms.seam.questions.gradient_norms import Differences, Norms
from algorithms.seam.questions.gradients import Cotangent, Gradients
from algorithms.seam.questions.hessians import Products
from algorithms.threads import Made, Part, ahead, cores, shared_out
from models.cards import ModelInput
from models.device import Device, compute_exactly
from models.onnx import probes
from models.onnx.batch import Answer, Batch, filling_a_card, is_full
from models.onnx.gradients.calls import Calls, Context, as_tensor
from models.onnx.gradients.conversion import convert
from models.onnx.gradients.norms import Pieces, drawn, filled_calls, laid_out, largest
from models.onnx.gradients.quantization import in_plain_ops
from models.onnx.gradients.smoothness import kinks
from models.onnx.gradients.substitutes import Substitutes
from models.onnx.graph import number_values
from models.onnx.network import Network
from models.onnx.session import padded, rows_a_call, run_all
from models.onnx.stumbling import first_to_differ

BUCKET = 32  # rows a call: enough for one core
ON_CARD, ON_CARD_NUMBERS = 512, 2**22  # rows and numbers a call of a card: below 512 a call takes as long as one of 512


def bucket_of(shape: tuple[int, ...], device: Device) -> int:
    """Count the rows of a call where the graph takes any number: bits depend on it, so a model and device have one."""
    if device == "cpu":
        return rows_a_call(shape, BUCKET)
    return rows_a_call(shape, ON_CARD, numbers=ON_CARD_NUMBERS)


def differentiator(network: Network, device: Device) -> "Differentiator":
    """Make the gradients of a network. Raises Refused(access_too_weak), saying why there are none."""
    return _differentiator(network.scores_alone(), network.input, device)


def substitutes(network: Network, device: Device) -> "Differentiator":
    """Make a differentiator that goes by substitutes wherever the graph has steps. Raises Refused(access_too_weak)."""
    model = network.scores_alone()
    in_plain_ops(model)
    number_values(model)
    return _differentiator(model, network.input, device, Substitutes)


def _differentiator(
    model: ModelProto,
    about: ModelInput,
    device: Device,
    within: Context | None = None,
) -> "Differentiator":
    batch = Batch(about.batch or bucket_of(about.shape, device), is_given=about.batch is not None)
    found, kept = kinks(model), b"" if device == "cpu" else model.SerializeToString()

    def again(size: int) -> torch.nn.Module:
        return convert(ModelProto.FromString(kept), _some(size, about.shape))

    return Differentiator(convert(model, _some(batch.rows, about.shape)), found, batch, device, again, within)


def _some(size: int, shape: tuple[int, ...]) -> Rows:
    return padded(probes.rows(shape)[:size], size)


class Differentiator:
    """A differentiator has the gradients of one converted graph, [N or batch, *shape] -> scores [N, K]."""

    def __init__(
        self,
        module: torch.nn.Module,
        kinks: tuple[str, ...],
        batch: Batch,
        device: Device,
        again: Callable[[int], torch.nn.Module],
        within: Context | None = None,
    ) -> None:
        """`batch`: rows a call. `again`: converts the graph for fewer. `within`: what each call is made in."""
        compute_exactly(device)
        self.batch = batch
        self._again, self._device, self._within, self._kinks = again, device, within, kinks
        with filling_a_card():
            self._calls = Calls(module, batch.rows, device, within)
        self._resizing = threading.Lock()
        self._threads = cores() if device == "cpu" else 2  # one waits for the card while the other gives it work
        self._window = max(4, 2 * self._threads)
        self._pool = ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,))
        self._drawing = ThreadPoolExecutor(cores())

    def _ask(self, question: Callable[[Calls], Answer]) -> Answer:
        """Ask in calls of one size: where a card has no memory for it, all of the question again in smaller ones."""
        return self.batch.ask(lambda rows: question(self._of_size(rows)))

    def _of_size(self, rows: int) -> Calls:
        """Whoever asks keeps what it got: another thread that halves the rows makes new ones."""
        with self._resizing:
            if self._calls.rows != rows:
                self._calls = Calls(self._again(rows), rows, self._device, self._within)
            return self._calls

    def gradients(self, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        """Answer as `algorithms.seam.questions.gradients.Differentiable.gradients` promises. Raises ModelFault."""
        return self._ask(lambda calls: self._gradients(calls, rows, cotangent))

    def _gradients(self, calls: Calls, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        if not len(rows):
            _, scores = calls.forward(np.zeros((1, *rows.shape[1:]), np.float32))
            return _numbers(scores, rows), np.zeros_like(rows)

        gradients = np.empty(rows.shape, np.float32)  # (m, *shape)

        def answer(start: int) -> Scores:
            part = slice(start, min(start + calls.rows, len(rows)))
            points, scores = calls.forward(rows[part])
            given = _numbers(scores, rows[part])
            seeds = np.asarray(cotangent(given, np.arange(part.start, part.stop)), np.float32)
            seed = torch.from_numpy(padded(seeds, len(points))).to(scores)
            seed[len(given) :] = 0
            (gradient,) = torch.autograd.grad(scores, points, seed)
            gradients[part] = _numbers(gradient, rows[part])
            return given

        with blaming_the_model():
            found = shared_out(self._pool, self._threads, answer, range(0, len(rows), calls.rows))
        return np.concatenate(found), gradients

    def kinks(self) -> tuple[str, ...]:
        """Answer as `algorithms.seam.questions.hessians.TwiceDifferentiable.kinks` promises."""
        return self._kinks

    def hessian_products(self, rows: Rows, directions: Rows, labels: Labels, rivals: Labels) -> Products:
        """Answer as `algorithms.seam.questions.hessians.TwiceDifferentiable` promises. Raises ModelFault."""

        def answer(calls: Calls, start: int) -> Products:
            part = slice(start, start + calls.rows)
            own = rows[part]
            points, scores = calls.forward(own, nullcontext)  # convolutions by columns go back once only
            place, seed = torch.arange(len(own)), torch.zeros_like(scores)
            seed[place, torch.from_numpy(labels[part])] += 1
            seed[place, torch.from_numpy(rivals[part])] -= 1
            (gradient,) = torch.autograd.grad(scores, points, seed, create_graph=True)
            if not gradient.requires_grad:  # the same everywhere
                return np.zeros_like(own)
            ways = torch.from_numpy(padded(directions[part], len(points))).to(points)
            ways[len(own) :] = 0
            (product,) = torch.autograd.grad(gradient, points, ways, materialize_grads=True)
            return _numbers(product, own)

        def products(calls: Calls) -> Products:
            return np.concatenate(list(self._each(partial(answer, calls), range(0, len(rows), calls.rows))))

        return self._ask(products)

    def largest_gradient_norms(self, asked: Sequence[Differences]) -> Sequence[Norms]:
        """Answer as `algorithms.seam.questions.gradient_norms.GradientNorms` promises. Raises ModelFault."""

        def answer(calls: Calls, parts: Pieces) -> tuple[Pieces, Tensor]:
            points, labels, rivals = (as_tensor(each) for each in laid_out(asked, parts, calls.rows))
            return parts, calls.norms(points, labels, rivals)

        def norms(calls: Calls) -> Sequence[Norms]:
            filled = filled_calls(drawn(asked, self._drawing, cores()), calls.rows)
            with blaming_the_model():
                met = self._each(partial(answer, calls), filled)
                return largest(asked, ((parts, found.cpu().numpy()) for parts, found in met))

        return self._ask(norms)

    def steps(self, rows: Rows) -> tuple[str, ...]:
        """Name the steps that have substitutes, as ONNX calls them, on rows that are known to run."""
        points = self._calls.points(rows[: self._calls.rows]).requires_grad_(True)
        with Substitutes() as substitutes:
            self._calls.module(points)
        return tuple(sorted(substitutes.met))

    def first_to_differ(self, model: ModelProto, rows: Rows, are_close: Callable[[Any, Any], bool]) -> str:
        """Name the first operator that answers otherwise than in the graph it was converted from, or ""."""
        points = self._calls.points(rows[: self._calls.rows])
        found = run_all(model, points.cpu().numpy())
        return first_to_differ(self._calls.module, points, found, are_close)

    def _each(self, work: Callable[[Part], Made], parts: Iterable[Part]) -> Iterator[Made]:
        """In order, a few ahead: what is held at once is bounded by the window, not by the question."""
        with blaming_the_model():
            yield from ahead(self._pool, work, parts, self._window)


@contextmanager
def blaming_the_model() -> Iterator[None]:
    """Raise ModelFault where torch fails: its own errors are RuntimeErrors. A card without memory is another matter."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_full(error):
            raise
        raise ModelFault("The model failed while its gradients were taken; try smaller samples.") from error


def _numbers(values: Tensor, rows: Rows) -> NDArray[np.float32]:
    """Of the true rows, as numpy; padding cut off."""
    return values.detach()[: len(rows)].cpu().numpy()
