"""Close: all samples of a chunk under one budget, which goes where it is expected to close most brackets.

A bracket is closed where its upper end is at most `ratio` times its lower one. What closes it is one proof, of the
radius upper / ratio, and not many on the way there. So each open sample is asked what it would do next, a few steps of
an attack or some more domains of a proof, and what it is expected to take until it is closed (`pursuit.py`); those that
take least go on first, a few at a time, until the budget is spent. What is hopeless is left for last.

The proofs are those of branch and bound (Wang et al., Beta-CROWN, NeurIPS 2021, arXiv:2103.06624); serving the shortest
remaining work first finishes most by any time (Schrage, Operations Research 16, 1968).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from algorithms.certificates.close.pursuit import Attack, Deepening, Pursuit
from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Abstained, LowerBound, Note
from algorithms.seam.cost import Cost
from algorithms.seam.hint import Hint
from algorithms.seam.question import Question
from algorithms.seam.questions.part import Part
from algorithms.seam.questions.together import in_step
from algorithms.searches.proofs import useful_radius
from algorithms.searches.splitting.closing import FIRST_LOOKS
from algorithms.searches.splitting.questions import Questions
from algorithms.threats.threat import Threat

AT_ONCE = 4  # samples that go on in a round
UNLIMITED = 2**62
HELD = 2**26  # bytes that the searches of each sample keep, beside the one that goes on: a chunk has many samples
MOST_RADII, MOST_DOMAINS = 16, 10_000_000

Radius = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Radii = Annotated[tuple[Radius, ...], BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)]


class CloseParams(Params):
    name: Literal["close"] = "close"
    domains: int = Field(
        2000, ge=1, le=MOST_DOMAINS, description="parts of regions bounded at most, on average over a chunk's samples"
    )
    ratio: float = Field(1.1, gt=1, le=10, description="a bracket is closed where upper / lower is at most this")
    attack_steps: int = Field(60, ge=1, le=10_000, description="of each of the two attacks, for a sample they are for")
    radii: Radii | None = Field(
        None,
        max_length=MOST_RADII,
        description="that something hangs on, such as a policy's: brackets around one first",
    )


def minimum(params: CloseParams, threat: Threat) -> Cost:
    """Count the clean row, one point asked, and the final re-query; the first attack's steps."""
    del threat
    return Cost(queries=3, gradients=params.attack_steps)


def for_audit(params: CloseParams, radii: Sequence[float], ends_by_seconds: bool) -> CloseParams:
    """Make the parameters of an audit whose policy names these radii; where seconds end it, domains do not."""
    told = dict.fromkeys(radii)  # each once, in their order
    domains = MOST_DOMAINS if ends_by_seconds else params.domains
    return params.model_copy(update={"radii": tuple(told)[:MOST_RADII] or params.radii, "domains": domains})


def run(cohort: Cohort, threat: Threat, params: CloseParams) -> Conversation:
    """End in both ends of each sample, as near to each other as the budget of all brings them."""
    pursuits = {i: _pursuit(cohort, i, threat, params) for i in range(len(cohort.cases))}
    yield from in_step({i: pursuit.begin() for i, pursuit in pursuits.items()}, cohort.live)
    budget = params.domains * len(pursuits)
    first = {i: pursuits[i].attacks[0] for i in _in_order(pursuits) if pursuits[i].point is None}
    yield from _make(_affordable(first, budget), pursuits, cohort)
    if threat.epsilon is None:
        yield from _prove_first(pursuits, cohort, threat)
    while moves := _affordable(_best(pursuits, cohort), budget - sum(each.cost for each in pursuits.values())):
        yield from _make(moves, pursuits, cohort)
    for i, pursuit in pursuits.items():
        yield Note(pursuit.told(), owner=i)
        if pursuit.has_nothing:
            yield Abstained("not_proven", owner=i)


def _pursuit(cohort: Cohort, i: int, threat: Threat, params: CloseParams) -> Pursuit:
    steps = params.attack_steps
    attacks = (Attack("fab@1", {"towards": "leading", "steps": steps}, steps), Attack("fmn@1", {"steps": steps}, steps))
    return Pursuit(Questions(cohort.cases[i], threat, UNLIMITED, HELD), params.ratio, params.radii or (), attacks)


def _prove_first(pursuits: dict[int, Pursuit], cohort: Cohort, threat: Threat) -> Conversation:
    """What CROWN proves of those of whom nothing is known, with a point to look up to: all of them in one call."""
    who = np.array([i for i, pursuit in pursuits.items() if cohort.live[i] and not pursuit.closing.proven], np.int64)
    if not len(who):
        return
    cases = (replace(pursuits[i].questions.case, hint=Hint(reached=pursuits[i].reached)) for i in who)
    some = Cohort(tuple(cases), cohort.live[who])
    conversation, answer = useful_radius.run(some, threat, FIRST_LOOKS), None
    while True:
        try:
            said = conversation.send(answer)
        except StopIteration:
            return
        if isinstance(said, Question):
            answer = yield said.charged_to(who)
            continue
        answer, owner = None, int(who[said.owner])
        if isinstance(said, LowerBound):
            pursuits[owner].proved(said.radius)
        yield replace(said, owner=owner)


def _best(pursuits: dict[int, Pursuit], cohort: Cohort) -> dict[int, Attack | Deepening]:
    """What those that are expected to close soonest would do next, in order; of equal ones the first sample's."""
    open_ones = [i for i in _in_order(pursuits) if cohort.live[i] and not pursuits[i].is_over]
    found: dict[int, Attack | Deepening] = {}
    for i in sorted(open_ones, key=lambda i: pursuits[i].expected):
        move = pursuits[i].next_move()
        if move is not None:
            found[i] = move
        if len(found) == AT_ONCE:
            break
    return found


def _in_order(pursuits: dict[int, Pursuit]) -> list[int]:
    """By the samples' rows in the upload: in which order they were selected changes nothing."""
    return sorted(pursuits, key=lambda i: pursuits[i].questions.case.stream.index)


def _affordable(moves: Mapping[int, Attack | Deepening], left: int) -> dict[int, Attack | Deepening]:
    """The first of them as long as the budget has room: with more of it the same would be done, and then more."""
    found: dict[int, Attack | Deepening] = {}
    for i, move in moves.items():
        left -= move.cost
        if left < 0:
            break
        found[i] = move
    return found


def _make(moves: dict[int, Attack | Deepening], pursuits: dict[int, Pursuit], cohort: Cohort) -> Conversation:
    splits = {i: pursuits[i].split(move) for i, move in moves.items() if isinstance(move, Deepening)}
    yield from in_step(splits, cohort.live)
    attacks = {i: move for i, move in moves.items() if isinstance(move, Attack)}
    for method in dict.fromkeys(move.method for move in attacks.values()):
        ours = {i: move for i, move in attacks.items() if move.method == method}
        yield from _attack(ours, pursuits, cohort)


def _attack(moves: dict[int, Attack], pursuits: dict[int, Pursuit], cohort: Cohort) -> Step[None]:
    owners = [i for i in moves if cohort.live[i]]
    if not owners:
        return
    attack = moves[owners[0]]
    known = tuple(Hint(point=pursuits[i].point, reached=pursuits[i].questions.distance) for i in owners)
    ended = yield from Part(attack.method.partition("@")[0], attack.method, attack.params, np.array(owners), known)
    for i, point in zip(owners, ended.points, strict=True):
        pursuits[i].attacked(attack, point)


METHOD = Method(
    name="close",
    version="1",
    family="certificate",
    threat_model="white_box",
    needs=(Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves="exact",
    reference="Schrage, Operations Research 16, 1968, and Wang et al., Beta-CROWN, NeurIPS 2021, arXiv:2103.06624",
    params=CloseParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=CloseParams(domains=400, attack_steps=20),
    chunk=32,
    closes=for_audit,
)
