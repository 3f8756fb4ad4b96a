"""docs/adding-a-model-kind.md, followed to the letter in a copy of the checkout: from the upload to findings."""

import re

import pytest

from tests.following import Copy
from tests.pages import a_model_kind, request_of
from tests.patience import PATIENCE_SECONDS

ADDED = a_model_kind()
NAME = ADDED.name

pytestmark = pytest.mark.timeout(PATIENCE_SECONDS)

WAY = '''
"""An upload of the new kind, inspected and opened by its own code, asked for by a job, and attacked."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.errors import Refused
from algorithms.method import Budget
from algorithms.registry import method
from models.opening import inspect_model, open_model
from models.samples import load_rows
from tests.contract.api.conftest import ONNX, SHAPE, npz

WEIGHTS, BIAS = np.random.default_rng(0).normal(size=(3, *SHAPE)), np.zeros(3)


def uploaded(caller, **arrays):
    answer = caller.post(f"/v1/models?kind={KIND}", content=npz(**arrays), headers=ONNX)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_from_the_upload_to_distances_that_are_right(api, caller):
    model_id = uploaded(caller, weights=WEIGHTS, bias=BIAS)
    lease = api.lease(model_id)
    data = api.library.get(lease.model.sha256)
    api.inspect(model_id, inspect_model(lease.model, data, device="cpu"), lease=lease)
    card = caller.get(f"/v1/models/{model_id}").json()
    assert (card["kind"], card["state"], card["offers"]) == (KIND, "ready", ["labels", "scores", "gradients"])

    samples = api.samples(caller)
    threat = ASKED["threat"] | {"box": None}
    job = caller.post("/v1/jobs", json=ASKED | {"model_id": model_id, "samples_id": samples["id"], "threat": threat})
    assert job.status_code == 202, job.text
    lease = api.lease(job.json()["id"])
    model, spec = open_model(lease.model, data, device="cpu"), lease.spec
    rows, labels = load_rows(api.library.get(spec.samples.sha256), lease.indices)
    chosen, params = method(spec.request.method.name), spec.request.method
    what = Samples(rows, lease.indices, labels)
    outcomes = run(model, what, chosen, params, spec.threat.threat(SHAPE), Budget(), seed=0)
    found = [(o.finding, row) for o, row in zip(outcomes, rows) if o.finding.kind == "upper_bound"]
    assert len(found) >= 1
    for finding, row in found:
        assert radius(row, finding.label) * (1 - 1e-5) <= finding.value <= radius(row, finding.label) * 1.05


def radius(row, label):
    """In the maximum norm: the least margin over the 1-norm of its slope."""
    scores = WEIGHTS @ row
    slopes = np.abs(WEIGHTS[label] - WEIGHTS).sum(axis=1)
    return min((scores[label] - scores[j]) / slopes[j] for j in range(3) if j != label)


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"weights": WEIGHTS}, "unsupported_signature"),
        ({"weights": WEIGHTS, "bias": BIAS[:2]}, "unsupported_signature"),
        ({"weights": WEIGHTS * np.nan, "bias": BIAS}, "model_invalid"),
    ],
)
def test_what_is_no_such_model_is_refused_with_its_reason(api, caller, arrays, code):
    lease = api.lease(uploaded(caller, **arrays))
    with pytest.raises(Refused) as refused:
        inspect_model(lease.model, api.library.get(lease.model.sha256), device="cpu")
    assert refused.value.code == code
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """What the page asks for, done."""
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    copy.add(ADDED)
    return copy


def test_the_kind_of_the_page_passes_the_tests_of_all_kinds(copy: Copy) -> None:
    tests = ("tests/contract/test_model_kinds.py", "tests/contract/api/test_models.py")
    output = copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", f"{NAME} or openapi")
    assert int(re.findall(r"(\d+) passed", output)[0]) == 7


def test_a_model_of_the_kind_is_uploaded_inspected_admitted_and_attacked(copy: Copy) -> None:
    asked = request_of("adding-a-model-kind.md")
    copy.write("tests/contract/api/test_new_kind.py", f"{WAY}\n\nKIND, ASKED = {NAME!r}, {asked}\n")
    copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/api/test_new_kind.py")
