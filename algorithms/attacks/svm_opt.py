"""SVM-OPT: the shortest ray to the boundary, along the direction that tells best which rays are longer.

Cheng, Singh, Chen, Chen, Liu, Hsieh, Sign-OPT, ICLR 2020, arXiv:1909.10773, section 3.3. The signs s_j of Sign-OPT are
inequalities that the gradient satisfies, s_j u_j . w >= 0. Each iteration takes the w of

    min ||w||^2   subject to   s_j u_j . w >= 1 for all j

a support vector machine without offset, for the gradient, and searches a shorter ray along it, as OPT does.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.questions.cloud import AskCloud
from algorithms.searches.directions.params import wants
from algorithms.searches.ray_lengths.descent import DescentParams, RayDescent
from algorithms.threats.threat import Threat

SLACK = 1e-3  # of a typical row's square: what an inequality that cannot hold may be short of, squared, costs 1 / SLACK
PIVOTS = 20  # rounds of them at most: random rows need 3 to 8
ROUNDING = 1e-9  # by which an inequality may seem to be missed


class SvmOptParams(DescentParams):
    name: Literal["svm_opt"] = "svm_opt"
    probes: int = Field(100, ge=1, le=1000, description="K, the directions of an estimate, one query each")


def minimum(params: SvmOptParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a step along it, the final re-query."""
    del threat
    return Cost(queries=params.probes + 6)


def run(case: Case, threat: Threat, params: SvmOptParams) -> Conversation:
    """Descend until the iterations are spent, epsilon is reached, or no start is adversarial; claim shorter rays."""
    descent = RayDescent(case, threat, params)

    def advance() -> Step[None]:
        gradient = yield from svm_gradient(descent, params.probes)
        yield from descent.move(gradient)

    yield from descent.along(advance)


@dataclass
class SignedOffsets:
    """Signed offsets are the rows s_j u_j (m, d) of a cloud, block by block."""

    descent: RayDescent
    rows: list[NDArray[np.float32]] = field(default_factory=list)

    def feed(self, points: Rows, labels: Labels) -> None:
        """Take in a block: s = 1 where the ray is longer, -1 where its point is adversarial."""
        u = self.descent.offsets(points)
        u[self.descent.walk.wins(labels)] *= -1
        self.rows.append(u)


def svm_gradient(descent: RayDescent, n: int) -> Step[Numbers]:
    """Estimate the gradient's direction (*shape) from the signs of n rays."""
    cloud = descent.cloud(n)
    signed = yield from AskCloud(cloud, lambda: SignedOffsets(descent))
    return separating(np.concatenate(signed.rows)).reshape(cloud.x.shape)


def separating(rows: NDArray[np.float32]) -> Numbers:
    """Find the direction (d,) of length 1, or 0, whose products with the rows (K, d) are positive by most.

    It is that of the least w with rows . w >= 1, each inequality up to a slack whose square is dear, so that there
    always is one. w is a sum of a_j row_j with all a_j >= 0, and the inequalities of those above 0 are equalities.
    """
    products = (rows @ rows.T).astype(np.float64)  # (K, K)
    typical = float(np.median(np.diag(products)))
    if not typical > 0:
        return np.zeros(rows.shape[1])
    w = _weights(products / typical + SLACK * np.eye(len(rows))) @ rows
    size = float(np.sqrt(w @ w))
    return np.asarray(w / size if size > 0 else w)


def _weights(products: Numbers) -> Numbers:
    """The a (K,), up to a factor: above 0 where an inequality is an equality, 0 elsewhere.

    All with a wrong sign change sides at once (block pivoting: Kim and Park, SIAM J. Sci. Comput. 2011), which mostly
    ends after a few rounds. Where it does not, non-negative least squares solve it, as a least-distance problem (Lawson
    and Hanson 1974, chapter 23).
    """
    from scipy.linalg import cho_factor, cho_solve  # heavy to import
    from scipy.optimize import nnls

    equal, on = np.ones(len(products)), np.ones(len(products), np.bool_)
    for _ in range(PIVOTS):
        a = np.zeros(len(products))
        a[on] = cho_solve(cho_factor(products[np.ix_(on, on)]), equal[on])
        is_wrong = np.where(on, a < 0, products @ a < 1 - ROUNDING)
        if not is_wrong.any():
            return a
        on ^= is_wrong
    factor = np.linalg.cholesky(products).T
    try:
        return np.asarray(nnls(np.concatenate([factor, equal[None]]), np.append(0 * equal, 1.0))[0])
    except RuntimeError:  # it went round in circles, as active sets may by rounding: their sum is Sign-OPT's estimate
        return equal


METHOD = Method(
    name="svm_opt",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Cheng et al., Sign-OPT, ICLR 2020, arXiv:1909.10773",
    params=SvmOptParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=SvmOptParams(probes=30),
    chunk=5,
    chunks_at_once=20,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
)
