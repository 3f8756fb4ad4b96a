"""What a card says of an endpoint: found out with a handful of requests when it is registered."""

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from algorithms.seam.access import Access, Rows
from models.cards import Endpoint, Inspection, ModelInput, ModelOutput, OutputKind, Probe, Reads, Withheld
from models.endpoints._classifier import OFFERS, RemoteClassifier
from models.endpoints._columns import Columns
from models.endpoints._doubting import check_lists, check_numbers
from models.endpoints._faults import Unordered
from models.endpoints._guard import Resolve, resolve
from models.endpoints._kinds_of_scores import check_kind, check_kind_of_some, check_order, decimals
from models.endpoints._permit import Permit

PROBES = 3  # rows looked at one by one
FAR = np.float32(16)  # times noise in [-1, 1]: a linear model leaves [0, 1], and no exponential overflows

ORDER = (Access.LABELS, Access.SCORES)
MEANINGS: dict[OutputKind, Literal["logits", "probabilities", "label"]] = {
    "logits": "logits",
    "probabilities": "probabilities",
    "labels": "label",
}


@dataclass(frozen=True)
class _Asked:
    endpoint: Endpoint
    permit: Permit
    resolve: Resolve
    columns: Columns = field(default_factory=Columns)  # the same for all that is asked
    models: dict[int, RemoteClassifier] = field(default_factory=dict)  # by the rows of a request

    def answers(self, rows: Rows, *, max_batch: int) -> NDArray[np.float64]:
        """(m, classes), or (m,) labels."""
        if max_batch not in self.models:
            self.models[max_batch] = RemoteClassifier(
                self.endpoint, self.permit, max_batch=max_batch, resolve=self.resolve, columns=self.columns
            )
        model = self.models[max_batch]
        found = model.scores(rows) if Access.SCORES in model.offers else model.labels(rows)
        return found.astype(np.float64)

    @property
    def are_likeliest(self) -> bool:
        """Whether the answers name the likeliest classes of each row, and no other."""
        return self.endpoint.options.get("classes") is not None

    @property
    def fewest_classes(self) -> int | None:
        """How many of its classes a row was answered by, at the least; None: by all, always."""
        fewest = min((model.fewest_classes for model in self.models.values()), default=0)
        return fewest if fewest < self.endpoint.output.named.count else None


def probe(endpoint: Endpoint, permit: Permit, *, resolve: Resolve = resolve) -> Inspection:
    """Ask a handful of requests. Raises Refused(endpoint_unavailable, endpoint_bad_response)."""
    asked = _Asked(endpoint, permit, resolve)
    try:
        return _probed(asked)
    except ModelFault as fault:
        raise Refused(fault.detail, code=fault.code) from None
    finally:
        for model in asked.models.values():
            model.close()


def _probed(asked: _Asked) -> Inspection:
    endpoint = asked.endpoint
    rows = _rows(endpoint.input.shape, endpoint.limits.max_batch)
    alone = asked.answers(rows[:PROBES], max_batch=1)
    if endpoint.output.kind != "labels":
        check = check_kind_of_some if asked.are_likeliest else check_kind
        check(endpoint.output.kind, alone, lambda: asked.answers(_far(rows), max_batch=1))
    again = asked.answers(rows[:PROBES], max_batch=1)
    max_batch, together = _largest_batch(asked, rows)
    if not asked.are_likeliest:  # else each number has its class beside it
        check_order(together)
        _look_for_other_orders(asked, rows, max_batch)
        asked.columns.check_confidences()
        _look_for_doubts(asked, rows, together, max_batch)
    same = np.array_equal(alone, again) and np.array_equal(alone, together[:PROBES])
    offers = OFFERS[endpoint.output.kind]
    return Inspection(
        input=ModelInput(name="input", dtype=endpoint.input.dtype, shape=endpoint.input.shape, batch=None),
        output=ModelOutput(name="output", classes=endpoint.output.named.count, kind=endpoint.output.kind),
        reads=Reads(output="output", as_=MEANINGS[endpoint.output.kind], because="told"),
        classes_named=None if isinstance(endpoint.output.classes, int) else endpoint.output.classes,
        offers=tuple(access for access in ORDER if access in offers),
        withheld=_withheld(offers),
        probe=Probe(
            max_batch=max_batch, deterministic=bool(same), decimals=decimals(alone), classes=asked.fewest_classes
        ),
    )


def _rows(shape: tuple[int, ...], max_batch: int) -> Rows:
    """Noise in [0, 1], the same at every probe: the units of most inputs, and harmless in the others."""
    return np.random.default_rng(0).random((max(PROBES, max_batch), *shape), dtype=np.float32)


def _look_for_other_orders(asked: _Asked, rows: Rows, max_batch: int) -> None:
    """Ask far rows too: noise may all be of one class, and a list that is sorted by score in one order then.

    Raises Unordered; an endpoint need not take such rows.
    """
    if Access.SCORES in OFFERS[asked.endpoint.output.kind]:
        try:
            asked.answers(_far(rows), max_batch=max_batch)
        except Unordered:
            raise
        except ModelFault:
            return


def _look_for_doubts(asked: _Asked, rows: Rows, answers: NDArray[np.float64], max_batch: int) -> None:
    """Raises Refused where nothing shows which class a number is of."""
    ask = partial(asked.answers, max_batch=max_batch)
    if asked.columns.are_numbers:
        if asked.endpoint.output.kind == "probabilities":
            check_numbers(ask, rows[: len(answers)], answers)
    elif answers.ndim == 2 and not asked.columns.are_named:
        check_lists(ask, rows[: len(answers)], answers)


def _far(rows: Rows) -> Rows:
    """Make rows farther from zero, on both sides, the two of a pair side by side."""
    far = FAR * (2 * rows[:PROBES] - 1)
    return np.stack([far, -far], axis=1).reshape(-1, *rows.shape[1:])


def _largest_batch(asked: _Asked, rows: Rows) -> tuple[int, NDArray[np.float64]]:
    """The largest of max_batch, max_batch / 2, ... that is answered, and its answers.

    Single rows have been, so whatever goes wrong now is likely the size: refused, too slow, or too much for the server.
    """
    size = asked.endpoint.limits.max_batch
    while True:
        try:
            return size, asked.answers(rows[: max(PROBES, size)], max_batch=size)
        except Unordered:
            raise
        except ModelFault:
            if size == 1:
                raise
            size //= 2


def _withheld(offers: frozenset[Access]) -> tuple[Withheld, ...]:
    if Access.SCORES in offers:
        return ()
    return (Withheld(offer=Access.SCORES, reason="The endpoint gives out labels only."),)
