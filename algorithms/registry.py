"""Every method, one row each. From these rows grow HTTP's validation, OpenAPI, the CLI, the docs and the law tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field

from algorithms.attacks import hopskipjump, noise, pgd
from algorithms.attacks.square import attack as square
from algorithms.certificates import crown, intervals, smoothing
from algorithms.certificates.nearest_neighbor import certificate as nearest_neighbor
from algorithms.errors import Refused
from algorithms.method import Cost, Params
from algorithms.scores.clever import score as clever
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.seam.questions import Case, Cohort, Conversation
from algorithms.seam.threat import NORMS, Norm, Threat

Run = Callable[[Case, Threat, Any], Conversation] | Callable[[Cohort, Threat, Any], Conversation]


@dataclass(frozen=True)
class Method:
    name: str
    version: str
    family: Literal["score", "attack", "certificate"]
    threat_model: Literal["white_box", "black_box_score", "black_box_decision"]
    needs: tuple[Access, ...]
    norms: tuple[Norm, ...]
    goals: tuple[Literal["untargeted", "targeted"], ...]
    epsilon: Literal["required", "optional", "refused"]
    proves: Kind
    reference: str
    params: type[Params]
    run: Run
    cohort: bool  # True: `run` takes a Cohort; False: a Case
    minimum: Callable[[Any, Threat], Cost]  # the least a useful run costs a sample, clean row and re-query included
    chunk: int  # samples a worker takes at a time: enough company to fill its batches, little enough to lose
    wants_pool: bool = False  # `Case.pool`: other rows of the upload, to start from
    wants_basis: Callable[[Any], bool] = lambda _: False  # `Case.basis`, with these parameters: needs auxiliary samples


METHODS = (
    Method(
        name="clever",
        version="1",
        family="score",
        threat_model="white_box",
        needs=(Access.SCORES, Access.GRADIENTS),
        norms=NORMS,
        goals=("untargeted", "targeted"),
        epsilon="refused",
        proves=Kind.ESTIMATE,
        reference="Weng et al., Evaluating the Robustness of Neural Networks, ICLR 2018, arXiv:1801.10578",
        params=clever.Params,
        run=clever.run,
        cohort=False,
        minimum=clever.minimum,
        chunk=2,
    ),
    Method(
        name="crown",
        version="1",
        family="certificate",
        threat_model="white_box",
        needs=(Access.BOUNDS,),
        norms=NORMS,
        goals=("untargeted", "targeted"),
        epsilon="optional",
        proves=Kind.LOWER_BOUND,
        reference="Zhang et al., Efficient Neural Network Robustness Certification, NeurIPS 2018, arXiv:1811.00866",
        params=crown.Params,
        run=crown.run,
        cohort=True,
        minimum=crown.minimum,
        chunk=32,
    ),
    Method(
        name="hopskipjump",
        version="1",
        family="attack",
        threat_model="black_box_decision",
        needs=(Access.LABELS,),
        norms=(Norm.L2, Norm.LINF),
        goals=("untargeted", "targeted"),
        epsilon="optional",
        proves=Kind.UPPER_BOUND,
        reference="Chen, Jordan, Wainwright, HopSkipJumpAttack, IEEE S&P 2020, arXiv:1904.02144",
        params=hopskipjump.Params,
        run=hopskipjump.run,
        cohort=False,
        minimum=hopskipjump.minimum,
        chunk=25,
        wants_pool=True,
        wants_basis=hopskipjump.wants_basis,
    ),
    Method(
        name="intervals",
        version="1",
        family="certificate",
        threat_model="white_box",
        needs=(Access.BOUNDS,),
        norms=NORMS,
        goals=("untargeted", "targeted"),
        epsilon="optional",
        proves=Kind.LOWER_BOUND,
        reference="Gowal et al., On the Effectiveness of Interval Bound Propagation, 2018, arXiv:1810.12715",
        params=intervals.Params,
        run=intervals.run,
        cohort=True,
        minimum=intervals.minimum,
        chunk=64,
    ),
    Method(
        name="nearest_neighbor",
        version="1",
        family="certificate",
        threat_model="white_box",
        needs=(Access.NEIGHBOURS,),
        norms=(Norm.L2,),
        goals=("untargeted",),
        epsilon="optional",
        proves=Kind.LOWER_BOUND,
        reference="Wang, Liu, Yi, Zhou, Hsieh, Evaluating the Robustness of Nearest Neighbor Classifiers, 2019, "
        "arXiv:1906.03972",
        params=nearest_neighbor.Params,
        run=nearest_neighbor.run,
        cohort=False,
        minimum=nearest_neighbor.minimum,
        chunk=4,
    ),
    Method(
        name="noise",
        version="1",
        family="attack",
        threat_model="black_box_decision",
        needs=(Access.LABELS,),
        norms=NORMS,
        goals=("untargeted",),
        epsilon="optional",
        proves=Kind.UPPER_BOUND,
        reference="Carlini et al., On Evaluating Adversarial Robustness, 2019, arXiv:1902.06705",
        params=noise.Params,
        run=noise.run,
        cohort=False,
        minimum=noise.minimum,
        chunk=100,
    ),
    Method(
        name="pgd",
        version="1",
        family="attack",
        threat_model="white_box",
        needs=(Access.SCORES, Access.GRADIENTS),
        norms=NORMS,
        goals=("untargeted", "targeted"),
        epsilon="optional",
        proves=Kind.UPPER_BOUND,
        reference="Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018, "
        "arXiv:1706.06083",
        params=pgd.Params,
        run=pgd.run,
        cohort=True,
        minimum=pgd.minimum,
        chunk=64,
    ),
    Method(
        name="smoothing",
        version="1",
        family="certificate",
        threat_model="black_box_decision",
        needs=(Access.LABELS,),
        norms=(Norm.L2,),
        goals=("untargeted",),
        epsilon="optional",
        proves=Kind.SMOOTHED_LOWER_BOUND,
        reference="Cohen, Rosenfeld, Kolter, Certified Adversarial Robustness via Randomized Smoothing, ICML 2019, "
        "arXiv:1902.02918",
        params=smoothing.Params,
        run=smoothing.run,
        cohort=False,
        minimum=smoothing.minimum,
        chunk=4,
    ),
    Method(
        name="square",
        version="1",
        family="attack",
        threat_model="black_box_score",
        needs=(Access.SCORES,),
        norms=(Norm.L2, Norm.LINF),
        goals=("untargeted", "targeted"),
        epsilon="optional",
        proves=Kind.UPPER_BOUND,
        reference="Andriushchenko et al., Square Attack, ECCV 2020, arXiv:1912.00049",
        params=square.Params,
        run=square.run,
        cohort=True,
        minimum=square.minimum,
        chunk=100,
    ),
)

if TYPE_CHECKING:
    MethodParams = Params
else:  # the union that HTTP validates and OpenAPI documents, grown from the rows above
    MethodParams = Annotated[Union[tuple(m.params for m in METHODS)], Field(discriminator="name")]  # noqa: UP007

_BY_NAME = {m.name: m for m in METHODS}


def method(name: str) -> Method:
    """Raises Refused(unknown_method), naming those there are."""
    if name not in _BY_NAME:
        raise Refused(f"There is no such method; choose one of {', '.join(_BY_NAME)}.", code="unknown_method")
    return _BY_NAME[name]
