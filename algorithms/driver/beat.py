"""One beat: questions of many conversations, paid for sample by sample and answered together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.talk import Talk
from algorithms.method import Cost
from algorithms.seam.access import Access, Model, Rows
from algorithms.seam.clouds import Reduction
from algorithms.seam.questions import Ask, AskCloud, AskGradient, AskMargins, AskNeighbors, AskSteepest, Pause, Question

BATCH_BYTES = 32 * 2**20  # rows held at once: plenty to fill any model's batch, little beside the model

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Paid:
    """A question about rows, cut down to those whose owners can pay for them."""

    talk: Talk
    question: Ask | AskGradient
    kept: Positions | None  # positions in the question's rows; None: all of them

    @property
    def rows(self) -> Rows:
        return self.question.rows if self.kept is None else self.question.rows[self.kept]

    def positions(self, sent: Positions) -> Positions:
        """Positions among the rows sent -> positions in the question."""
        return sent if self.kept is None else self.kept[sent]

    def spread(self, answer: NDArray[Any]) -> NDArray[Any]:
        """Answers of the rows sent -> answers of all rows of the question; zeros where nothing was sent."""
        if self.kept is None:
            return answer
        full = np.zeros((len(self.question.rows), *answer.shape[1:]), answer.dtype)
        full[self.kept] = answer
        return full


class Beat:
    """Collects questions, then asks each kind once. Talks find their answers in `talk.answer`."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._clear()

    def _clear(self) -> None:
        self._labels: list[Paid] = []
        self._scores: list[Paid] = []
        self._gradients: list[Paid] = []
        self._steepest: list[tuple[Talk, AskSteepest]] = []
        self._margins: list[tuple[Talk, AskMargins]] = []
        self._clouds: list[tuple[Talk, AskCloud]] = []
        self._nbytes = 0

    @property
    def is_full(self) -> bool:
        """Another question would share nothing with these, and only make the beat longer."""
        return self._nbytes >= BATCH_BYTES or bool(self._steepest)

    def add(self, talk: Talk, question: Question) -> None:
        """Charge the question and take it in. A sample that cannot pay leaves the run, its best claim kept."""
        match question:
            case Ask():  # first: a tiny model answers a row faster than we get here
                group = self._labels if question.want is Access.LABELS else self._scores
                self._add_rows(_pay(talk, question, _queries), group)
            case AskGradient():
                self._add_rows(_pay(talk, question, _gradients), self._gradients)
            case AskSteepest():
                if _charge_one(talk, question.owner, _gradients(0 if question.is_paid else question.ball.n)):
                    self._steepest.append((talk, question))
            case AskMargins():
                self._margins.append((talk, question))
            case AskCloud():
                if _charge_one(talk, question.owner, _queries(question.cloud.n)):
                    self._clouds.append((talk, question))
                    self._nbytes += question.cloud.n * question.cloud.x.nbytes
            case AskNeighbors():
                talk.answer = self._model.neighbors()  # nothing is computed, so there is nothing to share
            case Pause():
                pass

    def _add_rows(self, paid: Paid | None, group: list[Paid]) -> None:
        if paid is not None:
            group.append(paid)
            self._nbytes += paid.question.rows.nbytes

    def ask(self) -> None:
        model = self._model
        _ask_rows(self._labels, model.labels, np.zeros(0, np.int64))
        _ask_rows(self._scores, model.scores, np.zeros((0, model.classes), np.float32))
        for paid in self._gradients:
            paid.talk.answer = _ask_gradient(paid, model)
        for talk, question in self._steepest:
            talk.answer = self._model.steepest(question.ball, question.label, question.rivals)
        for talk, asked in self._margins:
            talk.answer = model.margins(asked.region, asked.labels, asked.rivals, asked.relaxation)
        _ask_clouds(self._clouds, model)
        self._clear()


def _queries(n: int) -> Cost:
    return Cost(queries=n)


def _gradients(n: int) -> Cost:
    return Cost(gradients=n)


def _pay(talk: Talk, question: Ask | AskGradient, price: Callable[[int], Cost]) -> Paid | None:
    """None: nobody can pay, and the talk is over or about to be."""
    owners = question.owners
    if owners is None:
        return Paid(talk, question, None) if _charge_one(talk, 0, price(len(question.rows))) else None
    counts = np.bincount(owners, minlength=len(talk.members))
    paying = np.zeros(len(talk.members), np.bool_)
    for member in np.flatnonzero(counts):
        paying[member] = _charge_one(talk, int(member), price(int(counts[member])))
    if paying[owners].all():
        return Paid(talk, question, None)
    return None if talk.is_over else Paid(talk, question, np.flatnonzero(paying[owners]))


def _charge_one(talk: Talk, member: int, cost: Cost) -> bool:
    if not talk.live[member]:
        return False
    trial = talk.members[member]
    if trial.can_pay(cost):
        trial.charge(cost)
        return True
    talk.retire(member, "budget")
    return False


def _ask_rows(group: list[Paid], ask: Callable[[Rows], NDArray[Any]], nothing: NDArray[Any]) -> None:
    """One call for all questions of a kind. `nothing` answers no rows: owners may all have left."""
    if not group:
        return
    rows = [paid.rows for paid in group]
    sent = rows[0] if len(rows) == 1 else np.concatenate(rows)
    answer = ask(sent) if len(sent) else nothing
    start = 0
    for paid, block in zip(group, rows, strict=True):
        paid.talk.answer = paid.spread(answer[start : start + len(block)])
        start += len(block)


def _ask_gradient(paid: Paid, model: Model) -> tuple[NDArray[Any], NDArray[Any]]:
    """A question's own loss on its own rows, renumbered where some of them were not sent."""
    question, rows = paid.question, paid.rows
    assert isinstance(question, AskGradient)
    if not len(rows):
        return paid.spread(np.zeros((0, model.classes), np.float32)), paid.spread(rows)
    scores, gradients = model.gradients(rows, lambda scores, sent: question.cotangent(scores, paid.positions(sent)))
    return paid.spread(scores), paid.spread(gradients)


def _ask_clouds(group: list[tuple[Talk, AskCloud]], model: Model) -> None:
    """Points of many clouds share batches; a cloud larger than a batch passes through in several."""
    waiting: list[tuple[Reduction, Rows]] = []
    nbytes = 0
    for talk, question in group:
        reduction = question.reduction()
        for block in question.cloud.blocks():
            waiting.append((reduction, block))
            nbytes += block.nbytes
            if nbytes >= BATCH_BYTES:
                _reduce(waiting, model)
                nbytes = 0
        talk.answer = reduction
    _reduce(waiting, model)
    for talk, _ in group:
        talk.answer = talk.answer.answer


def _reduce(waiting: list[tuple[Reduction, Rows]], model: Model) -> None:
    """Ask the labels of all blocks at once, feed each its own, and forget them."""
    if not waiting:
        return
    labels = model.labels(np.concatenate([rows for _, rows in waiting]))
    start = 0
    for reduction, rows in waiting:
        reduction.feed(rows, labels[start : start + len(rows)])
        start += len(rows)
    waiting.clear()
