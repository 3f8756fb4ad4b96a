"""Transfer: points that an attack found on another model, tried on this one.

Szegedy et al., ICLR 2014, saw that adversarial examples of one network often fool others; Papernot, McDaniel,
Goodfellow 2016 made an attack of it. The other model, the surrogate, is attacked first, where its gradients can be had.
Here labels are enough: the point is tried, then points farther out on the same ray, for it lies just behind a boundary
that is not this model's; the first that is adversarial is drawn back by halving.
"""

from typing import Any, Literal

from pydantic import Field

from algorithms.mathematics.norms import NORMS, Counting
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.labels.elsewhere import try_found
from algorithms.threats.threat import Threat


class TransferParams(Params):
    name: Literal["transfer"] = "transfer"
    attack: str = Field("apgd", description="the method that attacks the surrogate: any attack that its access allows")
    settings: dict[str, Any] | None = Field(None, description="parameters of that method; null: its defaults")
    reach: float = Field(8.0, ge=1, le=1000, description="how far out points are tried, in distances of the first")
    halvings: int = Field(8, ge=0, le=40, description="of the way back from the first that is adversarial")


def minimum(params: TransferParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, one point, the final re-query."""
    del params, threat
    return Cost(queries=3)


def run(case: Case, threat: Threat[Any], params: TransferParams) -> Conversation:
    """Try the surrogate's point, then farther ones; claim the first that is adversarial, and halve the way back."""
    return try_found(case, threat, reach=params.reach, halvings=params.halvings)


METHOD = Method(
    name="transfer",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(*NORMS, Counting.L0),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Papernot, McDaniel, Goodfellow, Transferability in Machine Learning, 2016, arXiv:1605.07277",
    params=TransferParams,
    run=run,
    cohort=False,
    takes_hints=True,
    attack_on_surrogate=lambda params: (params.attack, params.settings or {}),
    minimum=minimum,
    smallest=TransferParams(),
    chunk=100,
)
