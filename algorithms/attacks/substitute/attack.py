"""A substitute: the model is asked about a few rows, a network of our own learns its answers, and is attacked instead.

Li, Yi, Zhang, ICDM 2018, arXiv:1809.04913: the network is trained, rows are made around those that are known, the model
is asked about the few of them that teach most, and so again. What our own attack finds on the network is then tried on
the model, as `transfer` does. `selection: all` asks about every row that is made, and is the plain method (Papernot et
al., AsiaCCS 2017).

The network is trained before the samples are looked at, once for all of them; what it asks is no sample's expense.
"""

import math
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from algorithms.artifacts.answered import AnsweredRows
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.labels.elsewhere import try_found
from algorithms.threats.threat import Threat


class SubstituteParams(Params):
    name: Literal["substitute"] = "substitute"
    oracle_queries: int = Field(
        1000, ge=2, le=20_000, description="rows of the model at most before the samples, to learn from and to hold out"
    )
    seed_rows: int = Field(100, ge=1, le=10_000, description="auxiliary samples that are asked about first")
    held_out: int = Field(
        100, ge=1, le=10_000, description="auxiliary samples behind them, asked about to tell how far both agree"
    )
    rounds: int = Field(6, ge=0, le=20, description="times that rows are made around those that are known")
    selection: Literal["active", "all"] = Field(
        "active", description="ask about rows that teach most, or about all that are made"
    )
    share: float = Field(0.2, gt=0, le=1, description="of the rows made in a round, those asked about; all: it is 1")
    step: float = Field(0.1, gt=0, le=1, description="lambda: how far a row is moved, as a share of the box's width")
    attack: str = Field("apgd", description="the method that attacks the substitute: any attack that begins at samples")
    settings: dict[str, Any] | None = Field(None, description="parameters of that method; null: its defaults")
    reach: float = Field(8.0, ge=1, le=1000, description="how far out points are tried, in distances of the first")
    halvings: int = Field(8, ge=0, le=40, description="of the way back from the first that is adversarial")

    @model_validator(mode="after")
    def _queries_are_enough(self) -> Self:
        if self.oracle_queries < self.seed_rows + self.held_out:
            raise ValueError("oracle_queries must be at least seed_rows + held_out; raise it, or ask for fewer rows")
        return self


def rounds(params: SubstituteParams) -> tuple[int, ...]:
    """Count the rows asked about before each training, at most: seed and held-out rows, then what each round adds."""
    share = 1.0 if params.selection == "all" else params.share
    known, left = params.seed_rows, params.oracle_queries - params.seed_rows - params.held_out
    asked = [params.seed_rows + params.held_out]
    for _ in range(params.rounds):
        more = min(math.ceil(share * known), left)
        if more == 0:
            break
        asked.append(more)
        known, left = known + more, left - more
    return tuple(asked)


def wants(params: SubstituteParams) -> AnsweredRows:
    """Say that auxiliary samples are wanted to begin with, and how many rows are asked about."""
    return AnsweredRows(params.seed_rows, params.held_out, rounds(params))


def minimum(params: SubstituteParams, threat: Threat) -> Cost:
    """Count the clean row, one point, the final re-query."""
    del params, threat
    return Cost(queries=3)


def run(case: Case, threat: Threat, params: SubstituteParams) -> Conversation:
    """Try what was found on the substitute, then farther points; claim the first that is adversarial, and halve."""
    return try_found(case, threat, reach=params.reach, halvings=params.halvings)


METHOD = Method(
    name="substitute",
    version="2",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Li, Yi, Zhang, Query-Efficient Black-Box Attack by Active Learning, ICDM 2018, arXiv:1809.04913",
    params=SubstituteParams,
    run=run,
    cohort=False,
    takes_hints=True,
    attack_on_surrogate=lambda params: (params.attack, params.settings or {}),
    wants=wants,
    makes_surrogate=True,
    minimum=minimum,
    smallest=SubstituteParams(),
    chunk=100,
)
