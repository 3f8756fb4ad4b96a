"""AutoAttack: four attacks of different kind at one radius, one after the other, each on what is still robust.

Croce & Hein, ICML 2020, the version "standard" in its order: auto-PGD on the cross-entropy, auto-PGD on the targeted
DLR loss, FAB towards each rival, and Square, which needs no gradients. In l1 as in Croce & Hein, ICML 2021. The parts
are the methods here of these names; what each asks and draws is its own. The authors' checks are warnings here.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Mask
from algorithms.mathematics.losses import has_dlr
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Details, Kind, Note
from algorithms.seam.cost import Cost
from algorithms.seam.questions.part import Part
from algorithms.seam.questions.scores import AskScores
from algorithms.threats.threat import Threat

TARGETS = 9  # classes that targeted parts aim at
REPEATS = 2  # of the clean row, to see whether the answer changes
SAME = 1e-4  # by how much it may (the authors' alpha)
FIRST_SHARE = 0.8  # Square's p_init in the ensemble
SQUARE = "square"


class AutoAttackParams(Params):
    name: Literal["autoattack"] = "autoattack"
    steps: int = Field(100, ge=1, le=10_000, description="gradient steps of each ascent, and of each run of FAB")
    square_steps: int = Field(5_000, ge=1, le=1_000_000, description="steps of Square, one query each")


def minimum(params: AutoAttackParams, threat: Threat) -> Cost:
    """Count the clean rows, a look at the end of the first ascent and the final re-query; that ascent."""
    del threat
    return Cost(queries=3 + REPEATS, gradients=params.steps)


def run(cohort: Cohort, threat: Threat, params: AutoAttackParams) -> Conversation:
    """Attack what is still robust by one part after the other; note who broke it, and what is to be warned of."""
    told = [Details(parts=[], broken_by=None, warnings=[]) for _ in cohort.labels]
    changes = yield from _changes(cohort)
    robust = np.ones(len(told), np.bool_)
    for part, method, settings in _parts(cohort.classes, threat.norm, params):
        owners = np.flatnonzero(robust & cohort.live)
        if not len(owners):
            break
        ended = yield from Part(part, method, settings, owners)
        robust[owners[ended.broken]] = False
        for owner, is_broken, noted in zip(owners, ended.broken, ended.notes, strict=True):
            _tell(told[owner], part, noted, is_broken=bool(is_broken))
    for owner in np.flatnonzero(cohort.live):
        if not has_dlr(cohort.classes, is_targeted=True):
            told[owner]["warnings"].append("few_classes")
        if changes[owner]:
            told[owner]["warnings"].append("randomized_output")
        yield Note(told[owner], owner=int(owner))


def _parts(classes: int, norm: Norm, params: AutoAttackParams) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The standard's parts: their names, methods and parameters. Targeted DLR needs four classes.

    With three its place takes untargeted DLR, with two the margin: all that differs of two scores.
    """
    is_sparse = norm is Norm.L1
    ascent = {"steps": params.steps, "restarts": 1, "aim": "loss"}
    yield "apgd_ce", "apgd@2", {**ascent, "loss": "cross_entropy", "restarts": 5 if is_sparse else 1}
    if has_dlr(classes, is_targeted=True):
        yield "apgd_t", "apgd@2", {**ascent, "loss": "targeted_dlr", "targets": 5 if is_sparse else TARGETS}
    elif has_dlr(classes, is_targeted=False):
        yield "apgd_dlr", "apgd@2", {**ascent, "loss": "dlr"}
    else:
        yield "apgd_margin", "apgd@2", {**ascent, "loss": "margin"}
    yield "fab_t", "fab@1", {"steps": params.steps, "towards": "each", "rivals": TARGETS}
    yield SQUARE, "square@2", {"initial_share": FIRST_SHARE, "steps": params.square_steps}


def _changes(cohort: Cohort) -> Step[Mask]:
    """Whose clean row (n,) is not answered alike each time."""
    n = len(cohort.labels)
    owners = np.repeat(np.arange(n), REPEATS)
    again = np.asarray((yield from AskScores(cohort.x[owners], owners)), np.float64)
    assert cohort.scores is not None
    first = np.asarray(cohort.scores, np.float64)[owners]
    same = np.isclose(again, first, rtol=SAME, atol=SAME, equal_nan=True).all(axis=1).reshape(n, REPEATS)
    return np.asarray(cohort.live & ~same.all(axis=1))


def _tell(told: Details, part: str, noted: Details, *, is_broken: bool) -> None:
    """What a part adds to what is told of a sample."""
    told["parts"].append(part)
    if part == "apgd_ce":
        told["zero_gradient_share"] = noted.get("zero_gradient_share")
        told["warnings"] += noted.get("warnings", [])
    if is_broken:
        told["broken_by"] = part
        if part == SQUARE:
            told["warnings"].append("square_beats_white_box")


METHOD = Method(
    name="autoattack",
    version="2",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted",),
    epsilon="required",
    proves=Kind.UPPER_BOUND,
    reference="Croce & Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free "
    "Attacks, ICML 2020, arXiv:2003.01690",
    params=AutoAttackParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=AutoAttackParams(steps=12, square_steps=30),
    chunk=64,
    chunks_at_once=8,
)
