"""What a card says of an endpoint: found out with a handful of requests when it is registered."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from algorithms.seam.access import Access, Rows
from models.cards import Endpoint, Inspection, ModelInput, ModelOutput, OutputKind, Probe, Reads, Withheld
from models.endpoints._classifier import OFFERS, RemoteClassifier
from models.endpoints._columns import Columns
from models.endpoints._faults import Unordered
from models.endpoints._guard import Resolve, resolve
from models.endpoints._permit import Permit

PROBES = 3  # rows looked at one by one
MOST_DECIMALS = 6  # what float32 can show of a number near one
FAR = np.float32(16)  # times noise in [-1, 1]: a linear model leaves [0, 1], and no exponential overflows
SUM_TOLERANCE = 0.02  # of probabilities; rounding may explain more

FEWEST_TO_SORT = 6  # classes
AS_SHARES = "let it answer shares between 0 and 1, and register it with output.kind probabilities"

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

    def answers(self, rows: Rows, *, max_batch: int) -> NDArray[np.float64]:
        """(m, classes), or (m,) labels."""
        model = RemoteClassifier(
            self.endpoint, self.permit, max_batch=max_batch, resolve=self.resolve, columns=self.columns
        )
        try:
            found = model.scores(rows) if Access.SCORES in model.offers else model.labels(rows)
            return found.astype(np.float64)
        finally:
            model.close()


def probe(endpoint: Endpoint, permit: Permit, *, resolve: Resolve = resolve) -> Inspection:
    """Ask a handful of requests. Raises Refused(endpoint_unavailable, endpoint_bad_response)."""
    try:
        return _probed(_Asked(endpoint, permit, resolve))
    except ModelFault as fault:
        raise Refused(fault.detail, code=fault.code) from None


def _probed(asked: _Asked) -> Inspection:
    endpoint = asked.endpoint
    rows = _rows(endpoint.input.shape, endpoint.limits.max_batch)
    alone = asked.answers(rows[:PROBES], max_batch=1)
    _check_regime(asked, rows, alone)
    again = asked.answers(rows[:PROBES], max_batch=1)
    max_batch, together = _largest_batch(asked, rows)
    _check_order(together)
    _look_for_other_orders(asked, rows, max_batch)
    same = np.array_equal(alone, again) and np.array_equal(alone, together[:PROBES])
    offers = OFFERS[endpoint.output.kind]
    return Inspection(
        input=ModelInput(name="input", dtype=endpoint.input.dtype, shape=endpoint.input.shape, batch=None),
        output=ModelOutput(name="output", classes=endpoint.output.named.count, kind=endpoint.output.kind),
        reads=Reads(output="output", as_=MEANINGS[endpoint.output.kind], because="told"),
        classes_named=None if isinstance(endpoint.output.classes, int) else endpoint.output.classes,
        offers=tuple(access for access in ORDER if access in offers),
        withheld=_withheld(offers),
        probe=Probe(max_batch=max_batch, deterministic=bool(same), decimals=_decimals(alone)),
    )


def _rows(shape: tuple[int, ...], max_batch: int) -> Rows:
    """Noise in [0, 1], the same at every probe: the units of most inputs, and harmless in the others."""
    return np.random.default_rng(0).random((max(PROBES, max_batch), *shape), dtype=np.float32)


def _check_regime(asked: _Asked, rows: Rows, alone: NDArray[np.float64]) -> None:
    kind = asked.endpoint.output.kind
    if kind == "labels":
        return
    _check_percentages(asked, rows, alone)
    if _is_one_logit(alone):
        look_like_probabilities = _is_bounded(asked, rows, alone)
    else:
        most = _rounding(alone) if kind == "probabilities" else SUM_TOLERANCE  # only close sums refute a registration
        look_like_probabilities = bool(np.all(np.abs(alone.sum(axis=1) - 1) <= most)) and _are_within(alone)
    if look_like_probabilities != (kind == "probabilities"):
        seen = "probabilities" if look_like_probabilities else "no probabilities, which would be in [0, 1] and sum to 1"
        other = "probabilities" if look_like_probabilities else "logits"
        is_one = kind == "probabilities" and alone.shape[1] == 2 and bool(np.all(alone.sum(axis=1) == 1))
        unless = " if class 1 is what is above 0 (a percentage is not: let it answer 0 to 1)" if is_one else ""
        raise Refused(
            f"The endpoint answers {seen}; register it with output.kind {other}{unless}.", code="endpoint_bad_response"
        )


def _check_percentages(asked: _Asked, rows: Rows, alone: NDArray[np.float64]) -> None:
    """Refuse numbers from 0 to 100 that say that they are percentages, by their sum or by never being negative."""
    if _are_within(alone, 100) and bool(np.all(np.abs(alone.sum(axis=1) - 100) <= 100 * SUM_TOLERANCE)):
        raise Refused(f"The endpoint answers percentages, which sum to 100; {AS_SHARES}.", code="endpoint_bad_response")
    if _is_one_logit(alone) and not _are_within(alone) and _is_bounded(asked, rows, alone, 100):
        raise Refused(
            "The endpoint answers one number between 0 and 100 to every row, near and far; as a logit it would put all"
            f" of them into class 1, which is what lies above 0. Of a percentage, {AS_SHARES}; of a logit, let it"
            " answer a number for each class.",
            code="endpoint_bad_response",
        )


def _rounding(scores: NDArray[np.float64]) -> float:
    """How far the sum of a row may be from 1: each of its probabilities was rounded by half of the last decimal."""
    decimals = _decimals(scores)
    return SUM_TOLERANCE if decimals is None else max(SUM_TOLERANCE, scores.shape[1] * 0.5 * 10**-decimals)


def _check_order(scores: NDArray[np.float64]) -> None:
    """Refuse scores that fall from the first column to the last in every row: so does a list sorted by score.

    A model whose columns fall by chance is one of 720 or more, and it would have to answer every row alike in that.
    """
    if scores.ndim == 2 and scores.shape[1] >= FEWEST_TO_SORT and np.all(np.diff(scores, axis=1) < 0):
        raise Refused(
            "The scores fall from the first class to the last in every row that was asked, as if they were sorted; let"
            " the endpoint answer them in one order of the classes.",
            code="endpoint_bad_response",
        )


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


def _far(rows: Rows) -> Rows:
    """Make rows farther from zero, on both sides, the two of a pair side by side."""
    far = FAR * (2 * rows[:PROBES] - 1)
    return np.stack([far, -far], axis=1).reshape(-1, *rows.shape[1:])


def _is_one_logit(scores: NDArray[np.float64]) -> bool:
    """[0, z] of two classes, as one number a row is read."""
    return scores.shape[1] == 2 and not np.any(scores[:, 0])


def _is_bounded(asked: _Asked, rows: Rows, scores: NDArray[np.float64], most: float = 1) -> bool:
    """Whether the one number is a probability: no sum tells, and a logit of noise may well be in [0, 1].

    So rows farther from zero, on both sides, are asked too: hardly a logit stays within [0, 1] there, or [0, `most`].
    Of an endpoint that does not take such rows its registration is believed.
    """
    try:
        return _are_within(scores, most) and _are_within(asked.answers(_far(rows), max_batch=1), most)
    except Unordered:
        raise
    except ModelFault:
        return False


def _are_within(scores: NDArray[np.float64], most: float = 1) -> bool:
    return bool(np.all((scores >= 0) & (scores <= most)))


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


def _decimals(answers: NDArray[np.float64]) -> int | None:
    """How many decimals the scores are rounded to; None where that cannot be seen, as in rows that are saturated."""
    if answers.ndim == 1:
        return None
    saturated = (answers.max(axis=1) == 1) & (np.count_nonzero(answers, axis=1) == 1)
    seen = answers[~saturated].astype(np.float32)
    rounded = (n for n in range(MOST_DECIMALS) if np.array_equal(seen, seen.astype(np.float64).round(n).astype("f4")))
    return next(rounded, None) if len(seen) else None


def _withheld(offers: frozenset[Access]) -> tuple[Withheld, ...]:
    if Access.SCORES in offers:
        return ()
    return (Withheld(offer=Access.SCORES, reason="The endpoint gives out labels only."),)
