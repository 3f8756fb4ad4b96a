"""The only driver: runs one method over many samples, and is the only place where anything is sent to a model.

It talks to every live conversation, gathers their rows into shared batches, charges each sample its own rows, never
passes a budget, asks the model afresh before it believes an adversarial point, and stops when told to. A method has
not one line about any of this.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from algorithms.artifacts.wish import Arrays
from algorithms.driver.beat import Beat, ask
from algorithms.driver.beginning import begin
from algorithms.driver.conclusion import conclude
from algorithms.driver.confirming import confirm, leads
from algorithms.driver.progress import Checkpoint, RunProgress, Stop
from algorithms.driver.talk import Talk
from algorithms.driver.trial import Trial
from algorithms.errors import ModelFault
from algorithms.majority import majority_of
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget, Method, Params
from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.case import Case
from algorithms.seam.claims import Abstained, Fooling, Note, Outcome
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.seam.labeling import NO_CLASS, named
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.scores import AskScores
from algorithms.threads import Work, side_by_side
from algorithms.threats.targets import choose_targets
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class Samples:
    """Samples are what a run is about. `indices`, rows of the upload, name the samples and key their random streams."""

    x: Rows  # (n, *shape)
    indices: tuple[int, ...]
    labels: Labels | None  # (n,); None: the model's own predictions
    targets: Labels | None = None  # (n,), with the goal rule "given"
    hints: tuple[Hint, ...] | None = None  # n of them
    pool: Rows | None = None  # (p, *shape), for methods that want other samples of the upload
    prepared: Arrays = field(default_factory=dict)  # what the method wants made of other samples


def run(
    model: Model,
    samples: Samples,
    method: Method,
    params: Params,
    threat: Threat,
    budget: Budget,
    *,
    seed: int,
    checkpoint: Checkpoint = lambda _: None,
    groups: int = 1,
) -> list[Outcome]:
    """Find one outcome a sample, in the order given: the same alone or in company, and however the samples are cut.

    `groups`: in which a method that takes many samples at once meets them at the most: many cores share what it
    computes between answers.
    """
    model = majority_of(model, budget.repeats)
    trials = _meet(model, samples, method, threat, budget, seed)
    talks = begin(trials, method, params, threat, groups=groups)
    numbers = samples.x[0].size * len(talks[0].members) if len(talks) > 1 else 0
    look = partial(checkpoint, RunProgress(trials, method.minimum(params, threat)))
    try:
        confirm(model, trials, method.needs_with(params))  # what the clean row shows by itself
        with side_by_side(numbers) as work:
            while live := [talk for talk in talks if not talk.is_over]:
                if why := look() or _round(model, live, threat, look, work):
                    for talk in live:
                        talk.stop(why)
                confirm(model, trials, method.needs_with(params))
    except ModelFault as fault:
        settled = (trial for trial in trials if trial.is_over and not trial.needs_confirmation())
        fault.found = tuple(conclude(trial, threat, method.kind) for trial in settled)
        raise
    return [conclude(trial, threat, method.kind) for trial in trials]


def _meet(model: Model, samples: Samples, method: Method, threat: Threat, budget: Budget, seed: int) -> list[Trial]:
    """Ask every clean row once. A sample that is wrong already, or has no class, is over at once."""
    scores = ask(model, AskScores(samples.x)) if Access.SCORES in model.offers else None
    predicted = ask(model, AskLabels(samples.x)) if scores is None else named(scores)
    labels = predicted if samples.labels is None else samples.labels
    targets = choose_targets(threat.targeted, labels, scores, samples.targets, model.classes, samples.indices, seed)
    hints = samples.hints if method.takes_hints and samples.hints else [NOTHING_KNOWN] * len(samples.x)
    reserve = 1 if method.finds_points else 0
    trials = []
    for i, index in enumerate(samples.indices):
        case = Case(
            x=samples.x[i],
            label=int(labels[i]),
            target=targets[i],
            scores=None if scores is None else scores[i],
            classes=model.classes,
            stream=Stream(seed, index, method.name),
            pool=samples.pool,
            are_probabilities=model.gives_probabilities,
            prepared=samples.prepared,
            hint=hints[i].about(samples.x[i], threat),
        )
        trials.append(Trial(index, case, int(predicted[i]), budget.less(reserve), reserve, budget.repeats))
        _judge(trials[-1], method, threat, saturates=model.gives_probabilities)
    return trials


def _judge(trial: Trial, method: Method, threat: Threat, *, saturates: bool) -> None:
    """By its clean row alone. A target that is the label leaves no way to go: samples may come without labels.

    Where it is a class to be reached, and only shares the lead, there is one.
    """
    case = trial.case
    is_tied = method.is_about_classes and trial.predicted == case.target and not leads(case.scores, case)
    if trial.predicted == NO_CLASS:
        trial.hear(Abstained("no_class" if case.scores is None else "scores_not_finite"), threat)
    elif trial.predicted == case.label == case.target and not is_tied:
        trial.hear(Fooling(x_adv=case.x) if method.is_about_classes else Abstained("target_is_label"), threat)
    if not is_tied and (trial.predicted in (NO_CLASS, case.target) or trial.predicted != case.label):
        trial.stop("finished")
    if case.scores is not None and saturates and case.scores.max() == 1:  # float32 tells no more apart
        trial.hear(Note({"saturated": True}), threat)


def _round(model: Model, talks: list[Talk], threat: Threat, look: Callable[[], Stop | None], work: Work) -> Stop | None:
    """One question of every live conversation, asked in beats of bounded size. Ends early where there is a reason.

    What conversations do between two questions is worked side by side where samples are large.
    """
    beat = Beat(model)
    for talk, question in work(lambda talk: (talk, talk.next_question(threat)), talks):
        if beat.is_full:
            beat.ask()
            if why := look():
                return why
            beat = Beat(model)
        if question is not None:
            beat.add(talk, question)
    beat.ask()
    return None
