"""Who is held to the laws, on which models, and how a run is begun.

A law about what the driver decides is tried in one norm of each method; a law that a method's own arithmetic could
break, in all of them. Parameters and budget stand in the method's row.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from algorithms.driver.progress import Checkpoint
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind, Outcome
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Box, Threat
from tests.nearest import Nearest
from tests.truths import ClosedForm, Constant, Linear

REGISTERED = {method.name: method for method in METHODS}
SHAPE = (1, 4, 4)
N = 5
NO_NORMS = (Norm.L2,)
ENOUGH = {Norm.L1: 3.0, Norm.L2: 1.0, Norm.LINF: 0.3}  # about twice the radius of the sample that holds longest


def held(who: Callable[[Method], bool] = lambda _: True, *, in_every_norm: bool = False) -> pytest.MarkDecorator:
    """A law's cases: `method` and `norm`, named as in `square-l2`. One about classes has no norm, and is told l2."""
    return pytest.mark.parametrize(
        ("method", "norm"),
        [
            pytest.param(method, norm, id=f"{method.name}-{norm}")
            for method in METHODS
            if who(method)
            for norm in ((method.norms or NO_NORMS) if in_every_norm else (method.norms or NO_NORMS)[:1])
        ],
    )


def is_attack(method: Method) -> bool:
    return method.finds_points and not method.is_about_classes


def is_about_samples(method: Method) -> bool:
    return not method.is_about_classes


def is_certificate(method: Method) -> bool:
    return method.kind is Kind.LOWER_BOUND


def needs_outputs(method: Method) -> bool:
    """Whether a model that answers nothing but labels and scores has all it asks about the model's inside."""
    return Access.NEIGHBOURS not in method.needs


def linear(classes: int = 4) -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(classes, 16)), 0.1 * rng.normal(size=classes), shape=SHAPE)


def nearest(classes: int = 4) -> Nearest:
    """Of four classes known, all points may belong to fewer."""
    rng = np.random.default_rng(4)
    return Nearest(rng.uniform(size=(40, 16)), np.arange(40) % classes, shape=SHAPE, classes=4)


def truth(method: Method) -> Linear | Nearest:
    """A model that offers what the method needs, and where it is about classes as many as there are samples."""
    if method.is_about_classes:
        return linear(N)
    return linear() if needs_outputs(method) else nearest()


def constant(method: Method) -> Constant | Nearest:
    """A model that answers everything alike."""
    return Constant(np.array([0.5, 0.1, 0.0, -0.1]), SHAPE) if needs_outputs(method) else nearest(1)


def samples(indices: tuple[int, ...] = tuple(range(N))) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)
    return Samples(x[list(indices)], indices, labels=None)


def go(
    method: Method,
    norm: Norm,
    model: ClosedForm | None = None,
    what: Samples | None = None,
    *,
    budget: Budget | None = None,
    box: Box = Threat().box,
    checkpoint: Checkpoint = lambda _: None,
    groups: int = 1,
    **threat: object,
) -> list[Outcome]:
    """Run the method as its row says: within a radius that breaks every sample, where it asks for one.

    A method about classes runs on those of the same indices, from the middle of the box.
    """
    if method.epsilon == "required":
        threat.setdefault("epsilon", ENOUGH[norm])
    what = what or samples()
    if method.is_about_classes:
        what, threat = as_classes(what, box), {"targeted": "given"}
    if method.attack_on_surrogate is not None and what.hints is None:
        what = replace(what, hints=on_the_way(what.indices, norm, threat.get("targeted")))
    return run(
        model or truth(method),
        what,
        method,
        method.smallest,
        Threat(norm=norm, box=box, **threat),  # type: ignore[arg-type]
        budget or method.smallest_budget,
        seed=7,
        checkpoint=checkpoint,
        groups=groups,
    )


def as_classes(what: Samples, box: Box) -> Samples:
    gray = np.repeat(box.middle(SHAPE)[None], len(what.indices), axis=0)
    return replace(what, x=gray, labels=None, targets=np.array(what.indices))


@cache
def on_the_way(indices: tuple[int, ...], norm: Norm, targeted: object) -> tuple[Hint, ...]:
    """What an attack on a surrogate may have found: points halfway to another class, or to the target of a rule."""
    what, found = samples(indices), REGISTERED["fmn"]
    threat = Threat(norm, targeted=None if targeted == "given" else targeted)  # type: ignore[arg-type]
    outcomes = run(linear(), what, found, found.smallest, threat, Budget(None), seed=7)
    points = [x if o.x_adv is None else x + (o.x_adv - x) / 2 for o, x in zip(outcomes, what.x, strict=True)]
    return tuple(Hint(point=point.astype(np.float32)) for point in points)


@cache
def undisturbed(method: Method, norm: Norm) -> tuple[Outcome, ...]:
    """What `go` finds where nothing is special: many laws look at this one run."""
    return tuple(go(method, norm))


def part_of(method: Method, norm: Norm, share: float) -> Budget:
    """A share of what the dearest sample of an undisturbed run costs, in queries and in gradients."""
    findings = [outcome.finding for outcome in undisturbed(method, norm)]
    gradients = max(f.gradients for f in findings)
    return replace(
        method.smallest_budget,
        queries=max(2, int(share * max(f.queries for f in findings))),
        gradients=max(1, int(share * gradients)) if gradients else None,
    )
