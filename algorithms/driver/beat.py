"""One beat: questions of many conversations, paid for sample by sample and answered together."""

from typing import Any

from algorithms.driver.talk import Talk
from algorithms.seam.access import Model
from algorithms.seam.cost import Cost
from algorithms.seam.question import BATCH_BYTES, Answer, Paid, Question


class Beat:
    """A beat collects questions, then asks each kind once and is done. Talks find their answers in `talk.answer`."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._asked: dict[type[Question[Any]], list[tuple[Talk, Paid[Question[Any]]]]] = {}
        self._nbytes = 0

    @property
    def is_full(self) -> bool:
        """Tell whether another question would fill no batch any better, and only make the beat longer."""
        return self._nbytes >= BATCH_BYTES

    def add(self, talk: Talk, question: Question[Any]) -> None:
        """Charge the question and take it in. A sample that cannot pay leaves the run, its best claim kept."""
        paid = _pay(talk, question)
        if paid is not None:
            self._asked.setdefault(type(question), []).append((talk, paid))
            self._nbytes += question.nbytes

    def ask(self) -> None:
        for kind, asked in self._asked.items():
            answers = kind.ask(self._model, [paid for _, paid in asked])
            for (talk, _), answer in zip(asked, answers, strict=True):
                talk.answer = answer


def ask(model: Model, question: Question[Answer]) -> Answer:
    """Ask a question of the driver's own, and return the answer."""
    (answer,) = type(question).ask(model, [Paid(question)])
    return answer


def _pay(talk: Talk, question: Question[Any]) -> Paid[Question[Any]] | None:
    """None: nobody can pay, and the talk is over or about to be."""
    unpaid = [member for member, cost in question.price() if not _charge(talk, member, cost)]
    if not unpaid:
        return Paid(question)
    return None if talk.is_over else question.without(unpaid)


def _charge(talk: Talk, member: int, cost: Cost) -> bool:
    if not talk.live[member]:
        return False
    is_paid = talk.members[member].pay(cost)
    if not is_paid:
        talk.retire(member, "budget")
    return is_paid
