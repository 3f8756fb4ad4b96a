"""docs/adding-a-question.md, followed to the letter: a question, a model that answers it, a method that asks it."""

import re

import pytest

from tests.following import Copy
from tests.pages import a_question
from tests.patience import PATIENCE_SECONDS

ADDED = a_question()
NAME = ADDED.name

pytestmark = [pytest.mark.slow, pytest.mark.timeout(PATIENCE_SECONDS)]

TRUTH = """
import numpy as np
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Box, Threat
from models.neighbors.classifier import NeighborClassifier
from tests.nearest import exact_radius

rng = np.random.default_rng(0)
points, labels = rng.random((60, 5)), rng.integers(3, size=60)
x = rng.random((12, 5)).astype(np.float32)
gap, threat, proven = method("gap"), Threat(Norm.L2, Box.unbounded()), 0
for k in (1, 3, 4):
    for factor in (None, rng.normal(size=(4, 5))):
        neighbors = Neighbors(points, labels, k, factor)
        model = NeighborClassifier(neighbors, (5,))
        for outcome in run(model, Samples(x, tuple(range(12)), None), gap, gap.params(), threat, Budget(1), seed=0):
            finding, own = outcome.finding, x[outcome.finding.index]
            assert finding.kind == "lower_bound" and finding.queries == 1
            steps = rng.normal(size=(500, 5))
            steps *= finding.value * (1 - 1e-5) / np.linalg.norm(steps, axis=1, keepdims=True)
            assert (model.labels((own + steps).astype(np.float32)) == finding.label).all()
            if k == 1:
                true = exact_radius(neighbors, own.astype(np.float64), finding.label, threat.box)
                assert finding.value <= true
                a, b = finding.details["a"], finding.details["b"]
                away = np.linalg.norm((points - own) @ (np.eye(5) if factor is None else factor).T, axis=1)
                is_own = labels == finding.label
                assert np.isclose(a, away[is_own].min() / neighbors.gain, rtol=1e-4)
                assert np.isclose(b, away[~is_own].min() / neighbors.gain, rtol=1e-4)
            proven += finding.value > 0
print(proven)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """What the page asks for, done."""
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    copy.add(ADDED)
    return copy


def test_the_method_that_asks_it_keeps_all_laws(copy: Copy) -> None:
    output = copy.python("-m", "pytest", "tests/laws", "-q", "-p", "no:cacheprovider", "--method", NAME)
    assert int(re.findall(r"(\d+) passed", output)[0]) > 12
    assert f"{NAME}: held to its laws in " in output


def test_on_the_real_model_its_radii_are_those_of_the_triangle_inequality_and_never_above_the_true_ones(
    copy: Copy,
) -> None:
    assert int(copy.python("-c", TRUTH)) > 36


def test_nothing_else_names_the_question(copy: Copy) -> None:
    """Driver, seam and models but for the one that answers it are as they were."""
    files = (*copy.root.glob("algorithms/**/*.py"), *copy.root.glob("models/**/*.py"))
    naming = {str(f.relative_to(copy.root)) for f in files if re.search(r"\bCrowd\b|AskCrowd", f.read_text())}
    assert naming == set(ADDED.code)
