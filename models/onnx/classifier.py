"""An uploaded ONNX file as a model under audit: onnxruntime for queries, torch for gradients and bounds."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault
from algorithms.seam.access import Access, Labels, Rows, Scores
from algorithms.seam.labeling import named
from models.device import PROCESSOR, Device, card
from models.lifting import lifted
from models.onnx.bounds.bounder import Bounder
from models.onnx.gradients.differentiator import Differentiator
from models.onnx.network import Network
from models.onnx.outputs.numbering import numbered

NAMED = 12  # codes, in a sentence


@final
class OnnxClassifier:
    """An ONNX classifier speaks `algorithms.seam.access.Model`, and answers for labels and scores itself."""

    def __init__(
        self,
        network: Network,
        differentiator: Differentiator | None,
        device: Device,
        bounder: Bounder | None = None,
        substitutes: Differentiator | None = None,
    ) -> None:
        self._network, self._device = network, device
        self._session = network.session(device)
        self.shape = network.input.shape
        self.classes = network.output.classes
        self.substitutes = substitutes
        rebuilt = network.rebuilt  # the logits behind a soft-max are another value than the answer
        self.gives_probabilities = rebuilt.output.kind == "probabilities" and rebuilt.scores == rebuilt.answer
        given = offers(network, differentiable=differentiator is not None, bounded=bounder is not None)
        who = {Access.GRADIENTS: differentiator, Access.BOUNDS: bounder}
        self.offers: Mapping[Access, Any] = {access: who.get(access, self) for access in given}

    def computed_with(self) -> Mapping[str, str]:
        """Name what the bits of its answers depend on where a card makes them. `batch`: rows a call of each part."""
        if self._device == "cpu":
            return {}
        asked = {"gradients": self.offers.get(Access.GRADIENTS), "bounds": self.offers.get(Access.BOUNDS)}
        sizes = {name: part.batch for name, part in asked.items() if part is not None}
        if self._session.provider != PROCESSOR:
            sizes = {"scores": self._session.batch, **sizes}
        told = ", ".join(f"{name} {batch}" for name, batch in sizes.items())
        return {**card(), "provider": self._session.provider, "batch": told}

    def labels(self, rows: Rows) -> Labels:
        """Decide as the file does: by its own labels, or by the largest of what it gives out, the first of equals."""
        rebuilt = self._network.rebuilt
        if rebuilt.label is not None and rebuilt.scores is not None:
            return named(self.scores(rows))  # a label that was made of NaN is none
        (answer,) = self._ask(rows, [rebuilt.label or rebuilt.answer])
        return numbered(answer, rebuilt.names) if answer.ndim == 1 else named(answer)

    def scores(self, rows: Rows) -> Scores:
        """Answer logits where they can be had, else what the file gives out. The largest is the label."""
        rebuilt = self._network.rebuilt
        scores, label = rebuilt.scores, rebuilt.label
        assert scores is not None  # else they are no offer
        if label is None and scores == rebuilt.answer:
            return np.asarray(self._ask(rows, [scores])[0])
        if label is None:  # logits too close for the file's own float32 to show, or saturated in it
            found, answer = self._ask(rows, [scores, rebuilt.answer])
            return lifted(found, named(answer))
        found, served = self._ask(rows, [scores, label])
        return lifted(found, numbered(served, self._network.rebuilt.names))

    def _ask(self, rows: Rows, outputs: list[str]) -> Sequence[NDArray[Any]]:
        """Raises ModelFault, which names the features that are codes: of those the file may take some values only."""
        try:
            return self._session.ask_each(rows, outputs)
        except ModelFault as fault:
            codes = self._network.input.whole_features
            if not codes:
                raise
            listed = ", ".join(map(str, codes[:NAMED])) + (", ..." if len(codes) > NAMED else "")
            raise ModelFault(
                f"The model failed while it was asked. It reads features as codes ({listed}, counted from 0 along a"
                " row) and may refuse numbers that are none. Hold them, one job for each code with that code at both"
                ' ends of the box; or export the model to ignore what it does not know (handle_unknown="ignore").'
            ) from fault


def offers(network: Network, *, differentiable: bool, bounded: bool) -> frozenset[Access]:
    """List what a network gives away, by what could be built of it."""
    found = {Access.LABELS}
    if network.rebuilt.scores is not None:
        found.add(Access.SCORES)
        if differentiable:
            found.add(Access.GRADIENTS)
        if bounded:
            found.add(Access.BOUNDS)
    return frozenset(found)
