"""What mypy holds of norms and counts: a method that needs a dual is given no norm without one.

Nothing here runs. mypy reads the file with the folders of the program, and complains of an ignore that hides nothing:
so each of them shows that the line before it is refused.
"""

from algorithms.attacks import pgd
from algorithms.certificates import crown
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Method, Params, Run
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.threats.threat import N, Threat


def measures_gradients(case: Case, threat: Threat, params: object) -> Conversation:
    """Needs a dual."""
    threat.dual_lengths(case.x[None])
    threat.project(case.x[None], case.x[None], 1.0)
    yield from ()


def compares_distances(case: Case, threat: Threat[Norm | Counting], params: object) -> Conversation:
    """Takes either."""
    threat.clip(case.x[None], case.x)
    threat.distance(case.x, case.x)
    threat.farthest(case.x[None])
    threat.dual_lengths(case.x[None])  # type: ignore[misc]
    threat.ascent_direction(case.x[None])  # type: ignore[misc]
    yield from ()


def counts(case: Case, threat: Threat[Counting], params: object) -> Conversation:
    """Takes a count alone."""
    threat.lengths(case.x[None])
    yield from ()


def row(norms: tuple[N, ...], run: Run[N]) -> Method[N]:
    """A row as any method's, but for what is told apart here."""
    return Method(
        name="typed",
        version="1",
        family="attack",
        threat_model="white_box",
        needs=(Access.LABELS,),
        norms=norms,
        goals=("untargeted",),
        epsilon="optional",
        proves=Kind.UPPER_BOUND,
        reference="",
        params=Params,
        run=run,
        cohort=False,
        minimum=lambda params, threat: Cost(),
        smallest=Params(name="typed"),
        chunk=1,
    )


ROWS = (
    row(NORMS, measures_gradients),
    row(NORMS, compares_distances),
    row((Counting.L0,), compares_distances),
    row((Counting.L0,), counts),
    row((Norm.L2, Counting.L0), compares_distances),
    row((Counting.L0,), measures_gradients),  # type: ignore[arg-type]
    row((Norm.L2, Counting.L0), measures_gradients),  # type: ignore[arg-type]
    row(NORMS, counts),  # type: ignore[arg-type]
    row(NORMS, pgd.run),
    row((Counting.L0,), pgd.run),  # type: ignore[arg-type]
    row((Counting.L0,), crown.run),  # type: ignore[arg-type]
)
