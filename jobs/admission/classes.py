"""What a method about classes is told instead of samples: which classes, and the box that it starts in. Pure."""

from collections.abc import Sequence

from algorithms.errors import Refused
from jobs.admission import box
from jobs.request import MAX_SAMPLES, JobRequest, Selection
from jobs.spec import ThreatSpec


def selected(request: JobRequest, classes: int) -> tuple[int, ...]:
    """Lists the classes that are asked for, in the order of the answer. Raises Refused(invalid_request)."""
    indices: Sequence[int] | None = request.samples.indices
    if indices is None:
        indices = range(min(request.samples.limit or classes, classes))
    if len(indices) > MAX_SAMPLES:
        raise Refused(f"A job takes at most {MAX_SAMPLES} classes; set samples.limit.", pointer="/samples/limit")
    if max(indices) >= classes:
        raise Refused(
            f"The model has {classes} classes, numbered from 0; leave out larger indices.", pointer="/samples/indices"
        )
    return tuple(indices)


def threat(request: JobRequest, shape: tuple[int, ...]) -> ThreatSpec:
    """Makes the threat of inputs of this shape: a box, [0, 1] where none is given.

    Raises Refused(box_required, invalid_request).
    """
    asked = request.threat
    if asked.box is None and asked.box_is_given:
        raise Refused(
            f"{request.method.name} starts in the middle of the box, and one without bounds has no middle; "
            "say what inputs are valid in threat.box: [lo, hi], or [[lo…], [hi…]] per feature.",
            code="box_required",
            pointer=box.POINTER,
        )
    lower, upper = box.DEFAULT if asked.box is None else box.given(asked.box, shape)
    spec = ThreatSpec(norm=asked.norm, lower=lower, upper=upper, epsilon=None, goal="untargeted")
    box.check_room(spec.threat(shape).box)
    return spec


def with_defaults(request: JobRequest, classes: int) -> JobRequest:
    """Says what was left out: the box and how many classes."""
    asked, chosen = request.threat, request.samples
    if asked.box is None:
        asked = asked.model_copy(update={"box": list(box.DEFAULT)})
    if chosen.limit is None and chosen.indices is None:
        chosen = Selection(limit=classes)
    return request.model_copy(update={"threat": asked, "samples": chosen})
