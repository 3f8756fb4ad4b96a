"""What no attack on scores or labels is asked to do: each is told at once by HTTP, with a way out."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from algorithms.mathematics.norms import Counting, Norm
from algorithms.method import Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.searches.directions.params import SpaceParams
from algorithms.threats.threat import Threat
from models.cards import Inspection, ModelInput, ModelOutput, Reads
from tests.contract.api.conftest import SHAPE, Api, npz, some_samples

BLACK_BOX = [method for method in METHODS if method.family == "attack" and method.threat_model != "white_box"]
LABELS_ONLY = Inspection(
    input=ModelInput(name="x", dtype="float32", shape=SHAPE, batch=None),
    output=ModelOutput(name="label", classes=3, kind="labels"),
    reads=Reads(output="label", as_="label", because="graph"),
    opset=18,
    offers=(Access.LABELS,),
)
LABELS = [0, 1, 2, 0, 1, 2]  # of the samples


def held(who: Any = lambda method: True) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", [pytest.param(m, id=m.name) for m in BLACK_BOX if who(m)])


def is_targeted(method: Method) -> bool:
    return "targeted" in method.goals


def aimed(*values: Any) -> list[Any]:
    """Each that can aim with the first value; the first of them with all, which the API itself looks at."""
    able = [method for method in BLACK_BOX if is_targeted(method)]
    pairs = [(able[0], value) for value in values[1:]] + [(method, values[0]) for method in able]
    return [pytest.param(method, value, id=f"{method.name}-{value}") for method, value in pairs]


def norm_of(method: Method) -> Norm | Counting:
    """Its first; where it knows none the one that is meant when none is given."""
    return method.norms[0] if method.norms else Norm.L2


def asked(api: Api, caller: TestClient, method: Method, **change: Any) -> dict[str, Any]:
    """A request that is well but for the change."""
    norm = norm_of(method)
    threat = {"norm": norm.value} | ({"epsilon": 0.5} if method.epsilon == "required" else {})
    change["threat"] = threat | change.get("threat", {})
    body = api.a_job_request(caller, method={"name": method.name}, **change)
    if method.is_about_classes:
        del body["samples_id"]
    if method.wants_surrogate:
        body["surrogate_model_id"] = api.a_ready_model(caller, b"another")["id"]
    if method.wants(method.params(name=method.name)) is not None:
        body["auxiliary_samples_id"] = api.samples(caller, some_samples(500))["id"]
    return body


def refused(caller: TestClient, body: dict[str, Any]) -> tuple[str, str, str]:
    """The code, the place and the sentence of a refusal."""
    answer = caller.post("/v1/jobs", json=body)
    problem = answer.json()
    assert answer.status_code == 422, problem
    return problem["code"], problem["errors"][0]["pointer"], problem["detail"]


@held()
def test_a_request_that_is_well_is_taken(api: Api, caller: TestClient, method: Method) -> None:
    """Without which the refusals below would show nothing."""
    answer = caller.post("/v1/jobs", json=asked(api, caller, method))
    assert answer.status_code == 202, answer.text


@held(lambda method: Access.SCORES in method.needs)
def test_an_attack_on_scores_names_what_fits_a_model_that_gives_out_labels_only(
    api: Api, caller: TestClient, method: Method
) -> None:
    body = asked(api, caller, method)
    model = api.a_model(caller, b"labels only")
    api.inspect(model["id"], LABELS_ONLY)
    code, pointer, detail = refused(caller, body | {"model_id": model["id"]})
    assert (code, pointer) == ("access_too_weak", "/method/name")
    assert f"{method.name} needs scores" in detail and "What fits is" in detail
    named = detail.partition("What fits is ")[2].rstrip(".").split(", ")
    assert method.name not in named
    for way in named:
        name, _, setting = way.partition(" with ")
        fitting = {"name": name} | dict([setting.split(": ")] if setting else [])
        answer = caller.post("/v1/jobs", json=body | {"model_id": model["id"], "method": fitting})
        assert answer.status_code == 202 or answer.json()["code"] != "access_too_weak", way


@held()
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_budget_below_the_least_is_told_the_least_and_the_least_is_taken(
    api: Api, caller: TestClient, method: Method, repeats: int
) -> None:
    body = asked(api, caller, method)
    params, norm = method.params(name=method.name), norm_of(method)
    least = repeats * method.minimum(params, Threat(norm, epsilon=body["threat"].get("epsilon"))).queries
    budget = {"queries_per_sample": least - 1, "repeats": repeats}
    code, pointer, detail = refused(caller, body | {"budget": budget})
    assert (code, pointer) == ("budget_too_small", "/budget/queries_per_sample")
    assert f"at least {least} queries" in detail and "raise budget.queries_per_sample" in detail
    taken = caller.post("/v1/jobs", json=body | {"budget": budget | {"queries_per_sample": least}})
    assert taken.status_code == 202, taken.text


@pytest.mark.parametrize(("method", "place"), aimed(5, 0))
def test_a_target_that_is_the_samples_label_is_refused_where_it_stands(
    api: Api, caller: TestClient, method: Method, place: int
) -> None:
    targets = [(label + 1) % 3 for label in LABELS]
    targets[place] = LABELS[place]
    body = asked(api, caller, method, threat={"goal": {"targeted": targets}})
    code, pointer, detail = refused(caller, body)
    assert (code, pointer) == ("invalid_request", f"/threat/goal/targeted/{place}")
    assert "differ from the sample's label" in detail


@pytest.mark.parametrize(("method", "target"), aimed(3, -1, 2**40))
def test_a_target_that_is_no_class_is_refused_with_the_classes_there_are(
    api: Api, caller: TestClient, method: Method, target: int
) -> None:
    body = asked(api, caller, method, threat={"goal": {"targeted": [1, 2, target, 1, 2, 0]}})
    code, pointer, detail = refused(caller, body)
    assert (code, pointer) == ("label_out_of_range", "/threat/goal/targeted/2")
    assert "0 to 2" in detail


@held(lambda method: not is_targeted(method) and not method.is_about_classes)
def test_who_cannot_aim_says_so_and_who_can(api: Api, caller: TestClient, method: Method) -> None:
    body = asked(api, caller, method, threat={"goal": {"targeted": "random"}})
    code, pointer, detail = refused(caller, body)
    assert (code, pointer) == ("goal_not_supported", "/threat/goal")
    assert "can only be untargeted" in detail and "What fits is" in detail


@held(lambda method: method.is_about_classes)
def test_who_aims_at_every_class_takes_no_target(api: Api, caller: TestClient, method: Method) -> None:
    body = asked(api, caller, method, threat={"goal": {"targeted": "random"}})
    code, pointer, detail = refused(caller, body)
    assert (code, pointer) == ("goal_not_supported", "/threat/goal")
    assert "aims at every class" in detail and "samples.indices" in detail


@held(lambda method: issubclass(method.params, SpaceParams))
def test_samples_that_can_span_no_directions_are_refused_with_what_would_do(
    api: Api, caller: TestClient, method: Method
) -> None:
    body = asked(api, caller, method)
    span = {"name": method.name, "directions": "spanning", "subspace": "top", "rank": 4}
    six, three = (api.samples(caller, npz(x=np.eye(n, *SHAPE, dtype=np.float32)))["id"] for n in (6, 3))
    wide = api.samples(caller, npz(x=np.ones((6, 9), np.float32)))["id"]
    nothing = api.samples(caller, npz(x=np.zeros((6, *SHAPE), np.float32)))["id"]
    for auxiliary, code, told in (
        (None, "invalid_request", "give auxiliary_samples_id"),
        (wide, "shape_mismatch", "[9], the model takes [4]"),
        (three, "invalid_request", "3 directions at the most"),
        (nothing, "invalid_request", "all zero"),
    ):
        refusal = refused(caller, body | {"method": span, "auxiliary_samples_id": auxiliary})
        assert refusal[:2] == (code, "/auxiliary_samples_id") and told in refusal[2]
    taken = caller.post("/v1/jobs", json=body | {"method": span, "auxiliary_samples_id": six})
    assert taken.status_code == 202, taken.text
    needless = refused(caller, body | {"auxiliary_samples_id": six})
    assert (
        needless[:2] == ("invalid_request", "/auxiliary_samples_id") and "leave auxiliary_samples_id out" in needless[2]
    )
