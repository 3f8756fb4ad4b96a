"""Sound lower bounds of margins over balls within a box, for the graph that onnxruntime serves.

Linear relaxation: Zhang et al. 2018 (CROWN), Singh et al. 2019 (DeepPoly), Gowal et al. 2018 (intervals). All numbers
are float64; what float32 may do to the served model is subtracted (`linear/rounding.py`). Rows go forward in groups of
one fixed size, a thread each, and back in passes of one fixed size, which all threads share: so a row's bounds do not
depend on its company.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.errors import ModelFault
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Labels
from algorithms.seam.questions.decisions import Decide, Decision
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.seam.questions.nearest import AskNearest, Search
from algorithms.seam.questions.optimized_margins import Ascents, LineShares, OptimizedMargins
from algorithms.threads import cores
from models.device import Device, compute_exactly
from models.onnx.batch import Batch, filling_a_card, is_full
from models.onnx.bounds.branching.decider import Decider
from models.onnx.bounds.graph.node import Unsupported
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.operator import GraphStep
from models.onnx.bounds.optimized.margins import Classes, Rivalry
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.plan import BoundPlan, plan
from models.onnx.bounds.passes.regions import Regions, buckets
from models.onnx.bounds.programs.searches import Searches
from models.onnx.bounds.programs.writing import Writer
from models.onnx.bounds.propagation import DualNorms, propagate
from models.onnx.gradients.conversion import withheld
from models.onnx.network import Network
from models.onnx.session import padded
from models.onnx.stumbling import fails, last_local

GROUP, BUCKET = 16, 512  # rows a group, objectives a backward pass, at most: fastest in company (crown_batching)
CARD_GROUP, CARD_BUCKET = 64, 4096  # the same on a card: more gains no more
HELD, CARD_HELD = 2**22, 2**26  # numbers of the widest value in a backward pass, or of all values of a group
PRODUCTS = 2**36  # multiplications for one sample's margins at the most: some five seconds of one core
ASCENTS, PASSES = 2**39, 3  # the same for searches of margins; what a step takes more than a pass
FEWEST = 8  # rivals that this is counted for at the least: so that a trial at the upload is bounded too

Found = TypeVar("Found")


def bounder(network: Network, device: Device, *, rounds: bool = True, bucket: int | None = None) -> "Bounder":
    """Make the bounds of a network. Raises Refused(access_too_weak), saying why there are none."""
    if network.is_half:
        raise withheld("The model computes in float16, whose rounding is too coarse to bound.")
    try:
        with filling_a_card():
            found = plan(network.bounded_alone(), network.input.shape, network.input.batch, device)
    except ModelFault:
        raise
    except Unsupported as unsupported:
        raise withheld(f"Bounds are not implemented for {unsupported}.") from unsupported
    except Exception as error:  # a reader of other people's graphs may stumble in any way
        raise withheld(fails("bounds", "")) from error
    if found.total > HELD:
        raise withheld(f"A row makes {found.total:,} numbers on its way; bounds are held for {HELD:,} at the most.")
    needed = found.products * max(FEWEST, network.output.classes - 1)
    if needed > PRODUCTS:
        raise withheld(
            f"Bounds of one sample take {needed / 1e9:,.0f} billion multiplications; they are offered up to"
            f" {PRODUCTS / 1e9:.0f}."
        )
    return Bounder(found, device, rounds=rounds, bucket=bucket, slack=network.rebuilt.slack or 0.0)


class Bounder:
    """A bounder finds bounds of one graph.

    `rounds`: of the float32 model that is served; else of the graph in real arithmetic.
    `bucket`: objectives a backward pass; None: as many as suit the device. `slack`: what a margin of the scores must
    have for the labels that are served.
    """

    def __init__(
        self, plan: BoundPlan, device: Device, *, rounds: bool = True, bucket: int | None = None, slack: float = 0.0
    ) -> None:
        compute_exactly(device)
        self._plan, self._device, self._rounds = plan, device, rounds
        self._slack = slack if rounds else 0.0
        on_card = device != "cpu"
        group, most, held = (CARD_GROUP, CARD_BUCKET, CARD_HELD) if on_card else (GROUP, BUCKET, HELD)
        self.batch = Batch(_power_of_two(group, held // plan.total))  # rows a group
        self._whole_group, self._whole_bucket = self.batch.rows, _power_of_two(bucket or most, held // plan.widest)
        self._known_norms: dict[tuple[str, Norm, int], Tensor] = {}
        self._looking = threading.Lock()
        self._groups, self._passes = (
            ThreadPoolExecutor(1 if on_card else cores(), way, initializer=torch.set_num_threads, initargs=(1,))
            for way in ("forward", "backward")
        )
        self._searches = Searches(Writer(plan, self._slack), self._known)
        self._decider = Decider(plan, self._known, self._slack)

    def decide(self, asked: Sequence[Decide]) -> Sequence[Decision]:
        """Answer as `algorithms.seam.questions.decisions.Deciding.decide` promises. Raises ModelFault."""
        with filling_a_card(), self._blaming():
            return self._decider.decide(asked)

    def margins(self, region: Region, labels: Labels, rivals: Classes, relaxation: Relaxation) -> NDArray[np.float64]:
        """Answer as `algorithms.seam.questions.margins.Bounded.margins` promises. Raises ModelFault."""

        def work(regions: Regions, part: slice) -> NDArray[np.float64]:
            propagate(regions, relaxation, self._dual_norms(regions))
            return Rivalry(regions, labels[part], rivals[part]).least().cpu().numpy()

        return self._served([np.zeros((0, rivals.shape[1])), *self._in_groups(region, work)])

    def optimized_margins(
        self, region: Region, labels: Labels, rivals: Classes, ascents: Ascents, starts: Sequence[LineShares | None]
    ) -> OptimizedMargins:
        """Answer as `algorithms.seam.questions.optimized_margins.Optimized` promises. Raises ModelFault."""
        bounds = self.margins(region, labels, rivals, "crown")
        doubtful = np.flatnonzero(~(bounds > 0).all(axis=1))
        steps = min(ascents.steps, ASCENTS // (PASSES * self._plan.products * rivals.shape[1]))

        def work(regions: Regions, part: slice) -> tuple[NDArray[np.float64], list[LineShares | None]]:
            who = doubtful[part]
            propagate(regions, "crown", self._dual_norms(regions))
            found, ended = Rivalry(regions, labels[who], rivals[who]).best([starts[i] for i in who], steps)
            return found.cpu().numpy(), ended

        shares: list[LineShares | None] = [None] * len(labels)
        if len(doubtful):
            groups = self._in_groups(_of(region, doubtful), work, ascents.intermediate_steps)
            bounds[doubtful] = np.maximum(bounds[doubtful], self._served([found for found, _ in groups]))
            for i, ended in zip(doubtful, (ended for _, some in groups for ended in some), strict=True):
                shares[i] = ended
        return OptimizedMargins(bounds, tuple(shares))

    def nearest(self, asked: Sequence[AskNearest]) -> list[Search]:
        """Answer as `algorithms.seam.questions.nearest.Searchable` promises. Raises ModelFault."""
        with filling_a_card(), self._blaming():
            return self._searches.answer(asked)

    def _known(self, region: Region) -> Regions:
        """What CROWN knows of a region of one row."""

        def work(regions: Regions, part: slice) -> Regions:
            del part
            propagate(regions, "crown", self._dual_norms(regions))
            return regions

        (known,) = self._in_groups(region, work)
        return known

    def _in_groups(
        self, region: Region, work: Callable[[Regions, slice], Found], intermediate_steps: int = 0
    ) -> list[Found]:
        """Work through the rows of a region group by group, a thread each. Raises ModelFault."""

        def ask(group: int) -> list[Found]:
            bucket = max(2, self._whole_bucket * group // self._whole_group)  # fewer where groups had to become smaller

            def whole(start: int) -> Found:
                part = slice(start, start + group)
                some = _of(region, part)
                balls, each = self._balls(some, group), self._passes.map
                regions = Regions(self._plan, balls, len(some.radii), bucket, self._rounds, each, intermediate_steps)
                return work(regions, part)

            with self._blaming():
                return list(self._groups.map(whole, range(0, len(region.radii), group)))

        return self.batch.ask(ask)

    def _served(self, found: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Of margins of the scores, what they say of the labels that are served."""
        bounds = np.concatenate(found) - self._slack
        return np.where(np.isfinite(bounds), bounds, -np.inf)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """Blame the model for what is met on its way: other people's graphs, whose values may meet in any way."""
        try:
            yield
        except ModelFault:
            raise
        except Exception as error:
            if is_full(error):
                raise
            raise ModelFault(fails("bounds", self._where(error))) from error

    def _where(self, error: BaseException) -> str:
        step = last_local(error, "step", GraphStep)
        return "" if step is None else self._plan.operator_of(step)

    def _balls(self, region: Region, group: int) -> Balls:
        """Filled up to the size of a group by the last row."""
        rows, radii = (padded(values, group) for values in (region.rows, region.radii))
        x, lower, upper = (self._tensor(values) for values in (rows, *region.threat.limits(rows)))
        return Balls(x, (x - lower).clamp(min=0), (upper - x).clamp(min=0), self._tensor(radii), region.threat.norm)

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.tensor(np.ascontiguousarray(values), dtype=torch.float64, device=self._device)

    def _dual_norms(self, regions: Regions) -> DualNorms:
        """Dual norms (1, *shape) of the slopes of a value that is affine in the rows. Found once for a bucket."""
        norm, bucket = regions.balls.norm, regions.bucket

        def found(name: str) -> Tensor:
            with self._looking:
                if (name, norm, bucket) not in self._known_norms:
                    self._known_norms[name, norm, bucket] = self._find_dual_norms(name, norm, bucket)
                return self._known_norms[name, norm, bucket]

        return found

    def _find_dual_norms(self, name: str, norm: Norm, bucket: int) -> Tensor:
        shape = self._plan.shapes[name]
        count = int(np.prod(shape))
        found = []
        for positions in buckets(count, bucket, self._device):
            below, _ = propagate_backward(self._plan, name, Slopes.one_hot(positions, shape), positions, {}, {})
            assert below is not None
            found.append(lengths(below.numbers, norm.dual))
        return torch.cat(found)[:count].reshape(1, *shape)


def _power_of_two(most: int, room: int) -> int:
    """The largest that both allow, and at least two: a single row takes another kernel."""
    return int(max(2, min(most, 2 ** (max(room, 2).bit_length() - 1))))


def _of(region: Region, part: slice | NDArray[np.int64]) -> Region:
    return Region(region.rows[part], region.radii[part], region.threat)
