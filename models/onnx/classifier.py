"""An uploaded ONNX file as a model under audit: onnxruntime for queries, torch for gradients and bounds."""

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Cotangent, Gradients, Labels, Rows, Scores
from algorithms.seam.neighbors import Neighbors
from algorithms.seam.questions import Ball, Region, Relaxation
from models.device import Device
from models.onnx.bounds.bounder import Bounder
from models.onnx.gradients.differentiator import Differentiator
from models.onnx.network import Network


class OnnxClassifier:
    """Speaks `algorithms.seam.access.Model`."""

    def __init__(
        self,
        network: Network,
        differentiator: Differentiator | None,
        device: Device,
        bounder: Bounder | None = None,
    ) -> None:
        self._network = network
        self._session = network.session(device)
        self._differentiator = differentiator
        self._bounder = bounder
        self.shape = network.input.shape
        self.classes = network.output.classes
        rebuilt = network.rebuilt  # the logits behind a soft-max are another value than the answer
        self.gives_probabilities = rebuilt.output.kind == "probabilities" and rebuilt.scores == rebuilt.answer
        self.offers = offers(network, differentiable=differentiator is not None, bounded=bounder is not None)

    def labels(self, rows: Rows) -> Labels:
        """As the file decides: the argmax of what it gives out, or the labels it gives out. The first of equals."""
        answer = self._session.ask(rows, self._network.rebuilt.answer)
        return answer if answer.ndim == 1 else answer.argmax(axis=1)

    def scores(self, rows: Rows) -> Scores:
        """Logits where they can be had, else what the file gives out."""
        if self._network.rebuilt.scores is None:
            raise TypeError("this model offers labels only")
        return self._session.ask(rows, self._network.rebuilt.scores)

    def gradients(self, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        return self._differentiable.gradients(rows, cotangent)

    def steepest(self, ball: Ball, label: int, rivals: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._differentiable.steepest(ball, label, rivals)

    def margins(
        self, region: Region, labels: Labels, rivals: NDArray[np.int64], relaxation: Relaxation
    ) -> NDArray[np.float64]:
        if self._bounder is None:
            raise TypeError("this model offers no bounds")
        return self._bounder.margins(region, labels, rivals, relaxation)

    def neighbors(self) -> Neighbors:
        raise TypeError("this model has no neighbors")

    @property
    def _differentiable(self) -> Differentiator:
        if self._differentiator is None:
            raise TypeError("this model offers no gradients")
        return self._differentiator


def offers(network: Network, *, differentiable: bool, bounded: bool) -> frozenset[Access]:
    found = {Access.LABELS}
    if network.rebuilt.scores is not None:
        found.add(Access.SCORES)
        if differentiable:
            found.add(Access.GRADIENTS)
        if bounded:
            found.add(Access.BOUNDS)
    return frozenset(found)
