"""The only driver: runs one method over many samples, and is the only place where anything is sent to a model.

It talks to every live conversation, gathers their rows into shared batches, charges each sample its own rows, never
passes a budget, asks the model afresh before it believes an adversarial point, and stops when told to. A method has
not one line about any of this.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from algorithms.driver.beat import Beat, ask
from algorithms.driver.conclusion import conclude
from algorithms.driver.talk import Talk
from algorithms.driver.targets import choose_targets
from algorithms.driver.trial import Trial, is_adversarial, limit_of
from algorithms.errors import ModelFault
from algorithms.method import Budget, Method, Params
from algorithms.seam.access import Access, Labels, Model, Rows, Scores
from algorithms.seam.case import Case, Cohort, Conversation
from algorithms.seam.claims import Abstained, Kind, Note, Outcome
from algorithms.seam.cost import Cost
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.scores import AskScores
from algorithms.seam.streams import Stream
from algorithms.seam.threat import Threat


@dataclass(frozen=True)
class Samples:
    """What a run is about. `indices` are rows of the upload: they name the samples and key their random streams."""

    x: Rows  # (n, *shape)
    indices: tuple[int, ...]
    labels: Labels | None  # (n,); None: the model's own predictions
    targets: Labels | None = None  # (n,), with the goal rule "given"
    hints: tuple[Hint, ...] | None = None  # n of them


@dataclass(frozen=True)
class Progress:
    """How far a run has come, counted when it is read: a beat can be shorter than counting."""

    trials: Sequence[Trial]
    expected: Cost  # of a full run of one sample, as far as the method knows it

    @property
    def samples_done(self) -> int:
        return sum(t.is_over for t in self.trials)

    @property
    def samples_total(self) -> int:
        return len(self.trials)

    @property
    def queries(self) -> int:
        return sum(t.queries for t in self.trials)

    @property
    def gradients(self) -> int:
        return sum(t.gradients for t in self.trials)

    @property
    def fraction(self) -> float:
        return sum(1.0 if t.is_over else _share(t, self.expected) for t in self.trials) / len(self.trials)


def _share(trial: Trial, expected: Cost) -> float:
    """How far a live sample has come: of its query budget, or of the gradients a full run takes."""
    asked = trial.queries - 1  # the clean row says nothing of a method that asks no more: a certificate
    return min(0.99, max(asked / trial.limit.queries, trial.gradients / max(1, expected.gradients)))


Stop = Literal["budget", "cancelled"]
Checkpoint = Callable[[Progress], Stop | None]
"""Called once a beat; says why to stop, if at all."""


def run(
    model: Model,
    samples: Samples,
    method: Method,
    params: Params,
    threat: Threat,
    budget: Budget,
    *,
    seed: int,
    pool: Rows | None = None,
    basis: Rows | None = None,
    checkpoint: Checkpoint = lambda _: None,
) -> list[Outcome]:
    """One outcome a sample, in the order given. The same alone or in company, and however the samples are cut.

    `pool` (p, *shape) and `basis` (r, d) reach every `Case` of a method that wants them.
    """
    trials, scores = _meet(model, samples, method, threat, budget, seed)
    hints = _hints(samples, method, threat)
    talks = list(_begin(trials, scores, hints, method, params, threat, model, seed, pool, basis))
    look = partial(checkpoint, Progress(trials, method.minimum(params, threat)))
    try:
        while live := [talk for talk in talks if not talk.is_over]:
            if why := look() or _round(model, live, threat, look):
                for talk in live:
                    talk.stop(why)
            _confirm(model, trials, method)
    except ModelFault as fault:
        fault.found = tuple(conclude(trial, threat, method.kind) for trial in trials if trial.is_settled)
        raise
    return [conclude(trial, threat, method.kind) for trial in trials]


def _meet(
    model: Model, samples: Samples, method: Method, threat: Threat, budget: Budget, seed: int
) -> tuple[list[Trial], Scores | None]:
    """Ask every clean row once. A sample that is wrong already, or has no finite scores, is over at once."""
    scores = ask(model, AskScores(samples.x)) if Access.SCORES in model.offers else None
    predicted = ask(model, AskLabels(samples.x)) if scores is None else scores.argmax(axis=1)
    labels = predicted if samples.labels is None else samples.labels
    targets = choose_targets(threat.targeted, labels, scores, samples.targets, model.classes, samples.indices, seed)
    reserve = 1 if method.proves in (Kind.UPPER_BOUND, "exact") else 0
    limit = limit_of(budget, reserve=reserve)
    trials = [
        Trial(index, x, int(label), None if target is None else int(target), int(seen), limit, reserve)
        for index, x, label, target, seen in zip(samples.indices, samples.x, labels, targets, predicted, strict=True)
    ]
    for i, trial in enumerate(trials):
        if scores is not None and not np.all(np.isfinite(scores[i])):
            trial.hear(Abstained("scores_not_finite"), threat)
            trial.stop("finished")
        elif trial.predicted != trial.label:
            trial.stop("finished")
        elif trial.target == trial.label:  # a given target of a sample without a given label: there is no way to go
            trial.hear(Abstained("target_is_label"), threat)
            trial.stop("finished")
        if scores is not None and model.gives_probabilities and scores[i].max() == 1:  # float32 tells no more apart
            trial.hear(Note({"saturated": True}), threat)
    return trials, scores


def _hints(samples: Samples, method: Method, threat: Threat) -> list[Hint]:
    """What each sample's conversation may hear of others: nothing where its method takes no hints."""
    if samples.hints is None or not method.takes_hints:
        return [NOTHING_KNOWN] * len(samples.x)
    return [hint.about(x, threat.box) for hint, x in zip(samples.hints, samples.x, strict=True)]


def _begin(
    trials: list[Trial],
    scores: Scores | None,
    hints: list[Hint],
    method: Method,
    params: Params,
    threat: Threat,
    model: Model,
    seed: int,
    pool: Rows | None,
    basis: Rows | None,
) -> Iterator[Talk]:
    run_: Callable[[Any, Threat, Params], Conversation] = method.run
    waiting = [i for i, trial in enumerate(trials) if not trial.is_over]
    streams = {i: Stream(seed, trials[i].index, method.name) for i in waiting}
    if not method.cohort:
        for i in waiting:
            t = trials[i]
            clean = None if scores is None else scores[i]
            case = Case(t.x, t.label, t.target, clean, model.classes, streams[i], pool, basis, hints[i])
            yield Talk(run_(case, threat, params), [t], np.ones(1, np.bool_))
    elif waiting:
        members = [trials[i] for i in waiting]
        live = np.ones(len(members), np.bool_)
        targets = None if threat.targeted is None else np.array([t.target for t in members], np.int64)
        cohort = Cohort(
            x=np.stack([t.x for t in members]),
            labels=np.array([t.label for t in members], np.int64),
            targets=targets,
            scores=None if scores is None else scores[waiting],
            classes=model.classes,
            streams=tuple(streams.values()),
            live=live,
            hints=tuple(hints[i] for i in waiting),
        )
        yield Talk(run_(cohort, threat, params), members, live)


def _round(model: Model, talks: list[Talk], threat: Threat, look: Callable[[], Stop | None]) -> Stop | None:
    """One question of every live conversation, asked in beats of bounded size. Ends early where there is a reason."""
    beat = Beat(model)
    for talk in talks:
        if beat.is_full:
            beat.ask()
            if why := look():
                return why
        question = talk.next_question(threat)
        if question is not None:
            beat.add(talk, question)
    beat.ask()
    return None


def _confirm(model: Model, trials: list[Trial], method: Method) -> None:
    """The final fresh re-query of every best point, asked the way the method asks: labels know of no tie."""
    by_labels = Access.LABELS in method.needs or Access.SCORES not in model.offers
    while claimed := [t for t in trials if t.is_over and t.needs_confirmation()]:
        rows = np.stack([t.best_point() for t in claimed])
        if not by_labels:
            scores = ask(model, AskScores(rows))
            seen = scores.argmax(axis=1)
            held = [is_adversarial(s, t) for s, t in zip(scores, claimed, strict=True)]
        else:
            seen = ask(model, AskLabels(rows))
            held = [s == t.target if t.target is not None else s != t.label for s, t in zip(seen, claimed, strict=True)]
        for trial, holds, read_as in zip(claimed, held, seen, strict=True):
            trial.confirm(bool(holds), int(read_as))
