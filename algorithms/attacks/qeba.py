"""QEBA: HopSkipJump, which sees the boundary's normal in a subspace of smooth images.

Li, Xu, Zhang, Yang, Li, CVPR 2020, arXiv:2005.14137. A cloud of so many points tells more of a normal, the fewer
dimensions its directions have, as long as they hold most of it. The paper's spaces are resized small images (QEBA-S,
the default here), low frequencies (QEBA-F, `dct`) and the principal components of another model's gradients (QEBA-I:
`spanning`, with those gradients as auxiliary samples).

All else is HopSkipJump (`algorithms/searches/labels/hops.py`), with the wider clouds and the coarser way back of
the authors' code: delta is gamma of the distance, theta gamma / sqrt(d) in l2 and gamma / d in linf.
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Kind
from algorithms.searches.directions.choice import widening
from algorithms.searches.directions.params import DirectionSpace, ImageDirectionParams, wants
from algorithms.searches.labels.hops import hop, minimum
from algorithms.searches.labels.schedule import CloudParams
from algorithms.threats.threat import Threat


class QEBAParams(CloudParams, ImageDirectionParams):
    name: Literal["qeba"] = "qeba"
    directions: DirectionSpace | None = Field(
        None,
        description="full: all of the input space, dct: its low frequencies, bilinear: coarse grids, spanning: the "
        "span of auxiliary samples, decoder: what the decoder of an auto-encoder makes that is trained on them; null: "
        "bilinear for images of 8 x 8 pixels or more, else full",
    )
    gamma: float = Field(0.01, gt=0, le=1, description="radius of a cloud, as a share of the distance")


def run(case: Case, threat: Threat, params: QEBAParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    laws = widening(case, params, threat.norm, of_images="bilinear")
    yield from hop(case, threat, laws, params.gamma * case.x.size, params)  # HopSkipJump's gamma is d times this one


METHOD = Method(
    name="qeba",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Li, Xu, Zhang, Yang, Li, QEBA, CVPR 2020, arXiv:2005.14137",
    params=QEBAParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=QEBAParams(initial_directions=24),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
