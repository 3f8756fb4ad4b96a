"""A method that proves exact radii is an attack and a certificate at once: tried in a copy of the checkout."""

import json

import pytest

from tests.following import Copy

EXACT = """
from typing import Literal

import numpy as np

from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.claims import Exact, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.questions.scores import AskScores

NEAR = 1e-4  # share by which the point lies behind the boundary, and the radius before it


class HalfspacesParams(Params):
    name: Literal["halfspaces"] = "halfspaces"


def run(case, threat, params):
    '''Of a linear model: its slopes by differences, the nearest of its boundaries, and points behind that one.'''
    x = case.x.astype(np.float64).ravel()
    slopes = np.zeros((case.classes, x.size))
    for feature in range(x.size):
        row = x.copy()
        row[feature] += 0.125 if x[feature] < 0.5 else -0.125
        row = threat.clip(row.reshape(case.x.shape), case.x)
        scores = yield from AskScores(row[None])
        moved = float(row.ravel()[feature]) - x[feature]
        slopes[:, feature] = (scores[0].astype(np.float64) - case.scores) / moved
    rivals = [rival for rival in range(case.classes) if rival != case.label]
    ways = slopes[rivals] - slopes[case.label]
    lengths = np.linalg.norm(ways, axis=1)
    if not lengths.all():
        return
    gaps = (float(case.scores[case.label]) - case.scores[rivals].astype(np.float64)) / lengths
    nearest = int(gaps.argmin())
    radius, way = gaps[nearest], (ways[nearest] / lengths[nearest]).reshape(case.x.shape)

    for share in (1.5, 1.2, 1.1, 1 + NEAR):
        point = threat.clip(case.x + share * radius * way, case.x)
        scores = yield from AskScores(point[None])
        if scores[0].argmax() != case.label:
            yield UpperBound(point)
    yield Exact(point, float(radius * (1 - NEAR)))


METHOD = Method(
    name="halfspaces",
    version="1",
    family="certificate",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2,),
    goals=("untargeted",),
    epsilon="optional",
    proves="exact",
    reference="none",
    params=HalfspacesParams,
    run=run,
    cohort=False,
    minimum=lambda params, threat: Cost(queries=8),
    smallest=HalfspacesParams(),
    chunk=4,
)
"""
AUDIT = """
import json

import numpy as np

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from audits.asking.admission import admit
from audits.asking.request import AuditRequest
from audits.composing.compose import Material, compose
from audits.composing.rows import rows_of, samples_of
from audits.evidence.signs import is_attack
from audits.renderings.render import WRITERS, render
from tests.jobs_for_tests import CLASSES, SHAPE, ready_card, samples_card
from tests.truths import Linear
from tests.unit.audits.test_compose import NOW, evidence_of

card, samples = ready_card(), samples_card(count=4)
rules = [
    {"name": "found", "metric": "median_upper_bound", "at_least": 0.001},
    {"name": "proven", "metric": "median_lower_bound", "at_least": 0.001},
]
body = {"model_id": card.id, "samples_id": samples.id, "recipe": [{"name": "halfspaces"}], "policy": {"rules": rules}}
plan = admit(AuditRequest.model_validate(body), card, samples)
rng = np.random.default_rng(0)
model = Linear(rng.normal(size=(CLASSES, 4)), np.zeros(CLASSES), SHAPE)
what = Samples(rng.uniform(0.3, 0.7, (4, *SHAPE)).astype(np.float32), tuple(range(4)), None)
halfspaces = method("halfspaces")
outcomes = run(model, what, halfspaces, halfspaces.smallest, Threat(), Budget(200), seed=0)
(spec,) = plan.jobs
evidence = [evidence_of(spec, [outcome.finding for outcome in outcomes])]
rows = rows_of(plan.spec, evidence)
report = compose(Material("aud_x", plan.spec, evidence, None, "0.1.0", NOW), rows, None)
shown = [sample.distance(sample.tried(is_attack)) for sample in samples_of(rows, plan.spec, evidence)]
assert all(render(report, form) for form in WRITERS)
told = {
    "report": report.model_dump(mode="json"),
    "findings": [outcome.finding.model_dump(mode="json") for outcome in outcomes],
    "radii": [model.radius(x, outcome.finding.label, Threat().norm) for x, outcome in zip(what.x, outcomes)],
    "shown": shown,
}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    copy.write("algorithms/certificates/halfspaces.py", EXACT)
    return copy


@pytest.fixture(scope="module")
def told(copy: Copy) -> dict:
    """What the driver found with it on a linear model, and the report of an audit by it alone."""
    return json.loads(copy.python("-c", AUDIT))


def test_the_driver_tells_both_ends_of_it_and_how_its_points_came_nearer(told):
    for finding, radius in zip(told["findings"], told["radii"], strict=True):
        details = finding["details"]
        assert finding["kind"] == "lower_bound" and details["exact"] is True
        assert finding["value"] <= radius <= details["upper"] <= 1.001 * finding["value"]
        assert details["trace"][-1][1] == details["upper"]


def test_its_brackets_are_closed_from_both_sides(told):
    report = told["report"]
    assert {(row["lower_by"], row["upper_by"]) for row in report["samples"]} == {("halfspaces", "halfspaces")}
    assert report["summary"]["closure"]["share"] == 1
    assert report["summary"]["attack_success_rate"]["value"] == 1


def test_it_meets_the_need_of_an_attack_and_of_a_certificate(told):
    assert [rule["verdict"] for rule in told["report"]["rules"]] == ["pass", "pass"]
    assert [job["proves"] for job in told["report"]["jobs"]] == ["exact"]
    assert not any("No attack but plain noise" in sentence for sentence in told["report"]["limitations"])
    assert any("Certified lower ends" in sentence for sentence in told["report"]["limitations"])


def test_alarms_and_the_curve_of_efforts_see_its_points(told):
    uppers = [row["upper"] for row in told["report"]["samples"]]
    assert told["shown"] == uppers
    (effort,) = told["report"]["efforts"]
    assert effort["method"] == "halfspaces" and effort["points"][-1]["found"] == 1
    assert min(uppers) <= effort["points"][-1]["median_distance"] <= max(uppers)


@pytest.mark.slow
def test_it_is_held_to_the_laws_of_attacks_and_of_certificates(copy):
    output = copy.python("-m", "pytest", "tests/laws", "-q", "--method", "halfspaces", "-p", "no:cacheprovider")
    assert "halfspaces: held to its laws in " in output
