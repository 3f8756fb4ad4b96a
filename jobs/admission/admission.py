"""May this job run? Every refusal of a job that concerns its model, samples, method, threat and budget. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms import registry
from algorithms.errors import Conflict, Refused
from algorithms.mathematics.windows import Canvas
from algorithms.method import Method
from algorithms.seam.question import BATCH_BYTES
from jobs.admission import box, classes, labels, lattice
from jobs.admission import substitute as substitutes
from jobs.admission import surrogate as surrogates
from jobs.admission.refusing import check_method, check_samples
from jobs.auxiliary import used
from jobs.request import MAX_SAMPLES, JobRequest, Selection, ThreatRequest
from jobs.spec import JobSpec, ThreatSpec, substitute_of
from models.cards import ModelCard, SamplesCard
from models.kinds import KINDS
from models.samples import UploadedLabels, rows_within

WARMED_OF = 8  # samples, one may be worked on before the others
WARMED_BYTES = 32 << 20  # of what is learned from them


class Selecting(Protocol):
    """Selecting is what a job's and an audit's request do alike: they name rows of an upload and a threat."""

    @property
    def threat(self) -> ThreatRequest:
        """Returns the threat that the rows stand under."""

    @property
    def samples(self) -> Selection:
        """Returns which rows of the upload are asked for."""


@dataclass(frozen=True)
class SelectedRows:
    """These are the selected rows of the upload: x (m, *shape), y (m,) as they are labelled there."""

    x: NDArray[np.float32]
    y: UploadedLabels | None


def selected(request: Selecting, samples: SamplesCard) -> tuple[int, ...]:
    """Lists the rows of the upload that are asked for, in the order of the answer. Raises Refused(invalid_request)."""
    indices: Sequence[int] | None = request.samples.indices
    if indices is None:
        indices = range(min(request.samples.limit or samples.count, samples.count))
    if len(indices) > MAX_SAMPLES:
        raise Refused(f"A job takes at most {MAX_SAMPLES} samples; set samples.limit.", pointer="/samples/limit")
    if max(indices) >= samples.count:
        raise Refused(
            f"The upload has {samples.count} samples, numbered from 0; leave out larger indices.",
            pointer="/samples/indices",
        )
    return tuple(indices)


def wants_rows(request: Selecting, card: ModelCard, samples: SamplesCard) -> bool:
    """Tells whether `admit` must see the rows themselves.

    It must for given targets, for a lattice, for a box of which the samples' card cannot tell, and for more labels than
    it lists.
    """
    if labels.given_targets(request.threat.goal) is not None or box.is_per_feature(request.threat):
        return True
    if request.threat.lattice is not None:
        return True
    if not labels.are_told(samples, card):
        return True
    limit, indices = request.samples.limit, request.samples.indices
    is_a_part = indices is not None or (limit is not None and limit < samples.count)
    return is_a_part and not box.is_around_all(request.threat, samples)


def admit(
    request: JobRequest,
    card: ModelCard,
    samples: SamplesCard | None,
    rows: SelectedRows | None = None,
    auxiliary: SamplesCard | None = None,
    surrogate: ModelCard | None = None,
    *,
    method: Method | None = None,
) -> JobSpec:
    """Makes the job as it will run. Raises Refused(code, pointer), Conflict(model_not_ready).

    `samples` is None where the method is about classes. `rows` (of `selected`) is needed where `wants_rows` says so;
    `auxiliary` is the card of auxiliary_samples_id, `surrogate` that of surrogate_model_id.
    `method`: the row of an earlier version of the method that is asked for; None: the newest.
    """
    check_reserved(request.threat)
    method = method or registry.method(request.method.name)
    shape = shape_of(card)
    check_samples(method, request)
    check_method(method, request, card)
    _check_auxiliary(method, request, auxiliary, shape)
    _check_classes(method, request, card)
    surrogates.check(method, card, surrogate)
    subject = _classes(request, card, shape) if samples is None else _rows(request, card, samples, rows)
    _check_budget(method, request, subject.threat, shape)
    spec = JobSpec(
        request=subject.request,
        method_version=method.version,
        model=card,
        samples=samples,
        auxiliary=auxiliary,
        rounds=substitutes.rounds(method, request.method),
        warm_up=_warmed_up(method, subject, shape),
        indices=subject.indices,
        targets=subject.targets,
        threat=subject.threat,
        chunk_size=method.chunk,
        chunks_at_once=_chunks_at_once(method, shape),
        queue="probe" if KINDS[card.kind].is_remote else "compute",
    )
    substitutes.check(spec)
    other = substitute_of(card) if spec.rounds else surrogate
    if other is None or samples is None:
        return spec
    attack = surrogates.attack_of(request, spec, other, lambda asked, card: admit(asked, card, samples, rows))
    return spec.model_copy(update={"surrogate": surrogate, "attack": attack})


def _warmed_up(method: Method, subject: "_Subject", shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chooses rows that are worked on before all others, from all over the job, where it has enough of everything."""
    if method.warms_up is None:
        return ()
    asked = subject.request
    samples, queries = method.warms_up(asked.method)
    least = method.minimum(asked.method, subject.threat.threat(shape)).queries * asked.budget.repeats
    budget = asked.budget.queries_per_sample
    count = min(samples, rows_within(WARMED_BYTES, samples, shape), len(subject.indices) // WARMED_OF)
    if not count or queries < least or (budget is not None and budget < 2 * queries):
        return ()
    return tuple(subject.indices[place * len(subject.indices) // count] for place in range(count))


@dataclass(frozen=True)
class _Subject:
    """What a job is about: rows of an upload or classes, under a threat, and the request with its defaults said."""

    request: JobRequest
    indices: tuple[int, ...]
    targets: tuple[int, ...] | None
    threat: ThreatSpec


def _rows(request: JobRequest, card: ModelCard, samples: SamplesCard, rows: SelectedRows | None) -> _Subject:
    _check_shape(samples, shape_of(card))
    columns = labels.read(samples, None if rows is None else rows.y, card.classes)
    indices = selected(request, samples)
    targets = labels.targets(request.threat.goal, len(indices), columns, card.classes)
    return _Subject(_with_defaults(request, samples), indices, targets, _threat(request, samples, rows))


def _classes(request: JobRequest, card: ModelCard, shape: tuple[int, ...]) -> _Subject:
    count = card.classes.count
    told = classes.with_defaults(request, count)
    return _Subject(told, classes.selected(request, count), None, classes.threat(request, shape))


def _chunks_at_once(method: Method, shape: tuple[int, ...]) -> int:
    """Counts the chunks that a worker may take in a row: fewer where samples are large, for a run copies them often."""
    chunk = method.chunk * 4 * math.prod(shape)  # bytes
    return max(1, min(method.chunks_at_once, BATCH_BYTES // chunk))


def check_reserved(threat: ThreatRequest) -> None:
    """Refuses what is reserved for later, by the request alone: before anything is looked up or remembered.

    Raises Refused(not_available).
    """
    reserved = {f"/threat/{name}": getattr(threat, name) for name in ("scale", "frozen")}
    for pointer, value in reserved.items():
        if value is not None:
            raise Refused(
                "This field is reserved and does nothing yet; leave it out.", code="not_available", pointer=pointer
            )


def shape_of(card: ModelCard) -> tuple[int, ...]:
    """Returns the shape of one sample. Raises Conflict(model_not_ready)."""
    if card.state == "ready" and card.input and card.output:
        return card.input.shape
    advice = {
        "refused": "upload a model that is accepted",
        "unverified": "the operator has to trust its origin (BRINELL_TRUSTED_ORIGINS); then register it again",
    }.get(card.state, "wait until it is ready")
    raise Conflict(f"The model is {card.state}: {advice}.", code="model_not_ready", pointer="/model_id")


def _check_classes(method: Method, request: JobRequest, card: ModelCard) -> None:
    why = method.misfit(request.method, card.classes.count)
    if why is not None:
        raise Refused(why, pointer="/method")


def _check_auxiliary(
    method: Method, request: JobRequest, auxiliary: SamplesCard | None, shape: tuple[int, ...]
) -> None:
    pointer, wanted = "/auxiliary_samples_id", method.wants(request.method)
    if wanted is None:
        if auxiliary is not None:
            raise Refused(
                f"{method.name} with these parameters uses no auxiliary samples; leave auxiliary_samples_id out.",
                pointer=pointer,
            )
    elif auxiliary is None:
        raise Refused(
            f"{method.name} with these parameters needs other samples {wanted.purpose}; give auxiliary_samples_id.",
            pointer=pointer,
        )
    elif auxiliary.shape != shape:
        raise Refused(
            f"The auxiliary samples have shape {list(auxiliary.shape)}, the model takes {list(shape)}; "
            "upload them in its shape.",
            code="shape_mismatch",
            pointer=pointer,
        )
    elif auxiliary.minimum == auxiliary.maximum == 0:
        raise Refused("The auxiliary samples are all zero: nothing can be made of them; name others.", pointer=pointer)
    elif why := wanted.misfit(shape, count := used(auxiliary)):
        of_all = f" Of samples this large only the first {count} are used." if count < auxiliary.count else ""
        raise Refused(f"{why}{of_all}", pointer=pointer)


def _check_shape(samples: SamplesCard, shape: tuple[int, ...]) -> None:
    if samples.shape != shape:
        raise Refused(
            f"The samples have shape {list(samples.shape)}, the model takes {list(shape)}; upload them in its shape.",
            code="shape_mismatch",
            pointer="/samples_id",
        )


def _check_budget(method: Method, request: JobRequest, threat: ThreatSpec, shape: tuple[int, ...]) -> None:
    least, repeats = method.minimum(request.method, threat.threat(shape)), request.budget.repeats
    one = "class" if method.is_about_classes else "sample"
    several = f" with {repeats} answers to each row" if repeats > 1 else ""
    for what, needed in (("queries", least.queries * repeats), ("gradients", least.gradients)):
        allowed = getattr(request.budget, f"{what}_per_sample")
        if allowed is not None and allowed < needed:
            raise Refused(
                f"{method.name} with these parameters costs at least {needed} {what} a {one}{several}, {allowed} are "
                f"allowed; raise budget.{what}_per_sample or choose smaller parameters.",
                code="budget_too_small",
                pointer=f"/budget/{what}_per_sample",
            )


def _threat(request: JobRequest, samples: SamplesCard, rows: SelectedRows | None) -> ThreatSpec:
    x = rows.x if rows else None
    asked = request.threat
    lower, upper = box.stored(asked, samples, x) or (None, None)
    _check_pixels(asked, samples)
    spec = ThreatSpec(
        norm=asked.norm,
        pixelwise=asked.pixelwise,
        lower=lower,
        upper=upper,
        epsilon=asked.epsilon,
        goal=asked.goal,
        lattice=asked.lattice,
    )
    box.check(spec.threat(samples.shape).box, samples, x)
    lattice.check(spec.threat(samples.shape), x)
    return spec


def _check_pixels(threat: ThreatRequest, samples: SamplesCard) -> None:
    if threat.pixelwise and Canvas.of(samples.shape).height == 1:
        raise Refused(
            f"Samples of the shape {list(samples.shape)} are no images, and have no pixels to count; "
            "leave threat.pixelwise out, and l0 counts features.",
            pointer="/threat/pixelwise",
        )


def _with_defaults(request: JobRequest, samples: SamplesCard) -> JobRequest:
    """What was asked, with what was left out said."""
    threat, rows = request.threat, request.samples
    if not threat.box_is_given:
        threat = threat.model_copy(update={"box": list(box.DEFAULT)})
    if rows.limit is None and rows.indices is None:
        rows = Selection(limit=samples.count)
    return request.model_copy(update={"threat": threat, "samples": rows})
