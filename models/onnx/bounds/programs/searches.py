"""Answers to AskNearest: programs written, and searched side by side, half a second at a time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.questions.margins import Region
from algorithms.seam.questions.nearest import AskNearest, Search, Vicinity
from algorithms.threads import cores
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.programs.branching import Branching
from models.onnx.bounds.programs.curves import STRAIGHT
from models.onnx.bounds.programs.solver import is_taken
from models.onnx.bounds.programs.writing import Writer

SLICE_SECONDS = 0.5  # until the driver may look for a cancel
PRODUCTS = 2**25  # multiplications of a pass: a program's matrix has about as many numbers

Known = Callable[[Region], Regions]


class Searches:
    """Searches are made of one plan's programs; each question brings its own along."""

    def __init__(self, writer: Writer, known: Known) -> None:
        self._writer, self._known = writer, known
        self._pool = ThreadPoolExecutor(cores(), "program", initializer=torch.set_num_threads, initargs=(1,))

    def answer(self, asked: Sequence[AskNearest]) -> list[Search]:
        """Answer each question, side by side."""
        return list(self._pool.map(self._answer, asked))

    def _answer(self, asked: AskNearest) -> Search:
        until = time.monotonic() + SLICE_SECONDS
        search = asked.search or self._begin(asked.vicinity, asked.unsettled)
        if search.refused:
            return search
        branching: Branching = search.state
        found = False
        while not (found or branching.is_over(asked.reached) or branching.nodes >= asked.nodes):
            if time.monotonic() > until:
                break
            found = branching.step(asked.reached)
        return replace(
            search,
            lower=branching.lower,
            point=_moved(asked.vicinity, branching.change if found else None),
            nodes=branching.nodes,
            is_over=branching.is_over(asked.reached),
        )

    def _begin(self, around: Vicinity, most: int) -> Search:
        plan = self._writer.plan
        if crooked := [step for step in plan.steps if not isinstance(step.operator, (Affine, *STRAIGHT))]:
            return Search(refused="not_piecewise_linear", operator=plan.operator_of(crooked[0]))
        if plan.products > PRODUCTS:
            return Search(refused="too_large")
        regions = self._known(Region(around.x[None], np.array([around.reach]), around.threat))
        if not self._writer.is_finite(regions):
            return Search(refused="values_overflow")
        count = self._writer.count_unsettled(regions)
        if count > most:
            return Search(refused="too_many_unsettled", unsettled=count)
        program = self._writer.write(regions, around.label, around.target)
        if not is_taken(program):
            return Search(refused="too_steep", unsettled=count)
        return Search(unsettled=count, state=Branching(program))


def _moved(around: Vicinity, change: Numbers | None) -> Rows | None:
    if change is None:
        return None
    moved = around.x + change.reshape(around.x.shape)  # float64 until it is clipped
    return np.asarray(around.threat.clip(moved[None], around.x)[0])
