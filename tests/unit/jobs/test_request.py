"""The body of a job: what is understood, and what is refused before anything is looked up."""

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.request import JobRequest

SMALLEST = {"model_id": "mdl_a", "samples_id": "smp_a", "method": {"name": "clever"}}


def test_the_smallest_request_has_the_defaults_of_the_contract() -> None:
    request = JobRequest.model_validate(SMALLEST)
    assert request.model_dump(mode="json") == SMALLEST | {
        "auxiliary_samples_id": None,
        "method": request.method.model_dump(mode="json"),
        "threat": {"norm": "l2", "box": None, "epsilon": None, "goal": "untargeted"},
        "budget": {"queries_per_sample": 10_000, "gradients_per_sample": None, "seconds": None},
        "samples": {},
        "seed": 0,
    }
    assert not request.threat.box_is_given


def test_the_example_of_the_contract_is_understood() -> None:
    body = SMALLEST | {
        "auxiliary_samples_id": None,
        "method": {"name": "clever", "preset": "quick"},
        "threat": {"norm": "l2", "box": [0, 1], "epsilon": None, "goal": "untargeted"},
        "budget": {"queries_per_sample": 10000, "gradients_per_sample": None, "seconds": None},
        "samples": {"limit": 20},
        "seed": 0,
    }
    assert JobRequest.model_validate(body).samples.limit == 20


def test_a_box_left_out_and_a_box_null_are_told_apart_also_after_storage() -> None:
    for threat, is_given in (({}, False), ({"box": None}, True), ({"box": [0, 1]}, True)):
        request = JobRequest.model_validate(SMALLEST | {"threat": threat})
        assert request.threat.box_is_given == is_given


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"model_id": 3}, "model_id"),
        ({"unknown": 1}, "unknown"),
        ({"method": {"name": "nosuch"}}, "method"),
        ({"method": {}}, "method"),
        ({"method": {"name": "clever", "unknown": 1}}, "method.clever.unknown"),
        ({"method": {"name": "clever", "radius": -1}}, "method.clever.radius"),
        ({"method": {"name": "clever", "radius": "1"}}, "method.clever.radius"),
        ({"method": {"name": "clever", "batches": True}}, "method.clever.batches"),
        ({"method": {"name": "pgd", "steps": "40"}}, "method.pgd.steps"),
        ({"threat": {"norm": "l3"}}, "threat.norm"),
        ({"threat": {"norm": "l0", "epsilon": 1.5}}, "threat.epsilon"),
        ({"threat": {"norm": "l2", "pixelwise": True}}, "threat.pixelwise"),
        ({"threat": {"pixelwise": 1}}, "threat.pixelwise"),
        ({"threat": {"lattice": 255}}, "threat.lattice"),
        ({"threat": {"lattice": {"levels": 1}}}, "threat.lattice.levels"),
        ({"threat": {"lattice": {"levels": 65_537}}}, "threat.lattice.levels"),
        ({"threat": {"lattice": {"levels": "256"}}}, "threat.lattice.levels"),
        ({"threat": {"lattice": {"levels": 256, "integers": [0]}}}, "threat.lattice.integers"),
        ({"threat": {"lattice": {}}}, "threat.lattice.levels"),
        ({"threat": {"epsilon": 0}}, "threat.epsilon"),
        ({"threat": {"epsilon": "0.5"}}, "threat.epsilon"),
        ({"threat": {"epsilon": float("inf")}}, "threat.epsilon"),
        ({"threat": {"box": [0]}}, "threat.box"),
        ({"threat": {"box": 1}}, "threat.box"),
        ({"threat": {"goal": "sideways"}}, "threat.goal"),
        ({"threat": {"goal": {"targeted": []}}}, "threat.goal"),
        ({"threat": {"goal": {"targeted": [1.5]}}}, "threat.goal"),
        ({"budget": {"queries_per_sample": 0}}, "budget.queries_per_sample"),
        ({"budget": {"queries_per_sample": True}}, "budget.queries_per_sample"),
        ({"budget": {"seconds": -1}}, "budget.seconds"),
        ({"budget": {"repeats": 0}}, "budget.repeats"),
        ({"budget": {"repeats": 1001}}, "budget.repeats"),
        ({"budget": {"repeats": 2.5}}, "budget.repeats"),
        ({"budget": {"repeats": True}}, "budget.repeats"),
        ({"samples": {"limit": 0}}, "samples.limit"),
        ({"samples": {"limit": 3, "indices": [1]}}, "samples"),
        ({"samples": {"indices": []}}, "samples.indices"),
        ({"samples": {"indices": [1, 1]}}, "samples"),
        ({"samples": {"indices": [-1]}}, "samples.indices.0"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**63}, "seed"),
    ],
)
def test_nonsense_is_refused_where_it_stands(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        JobRequest.model_validate(SMALLEST | changes)
    places = [".".join(str(part) for part in error["loc"]) for error in refusal.value.errors()]
    assert any(found.startswith(place) for found in places)


def test_an_echoed_request_can_be_sent_again() -> None:
    request = JobRequest.model_validate(
        SMALLEST | {"threat": {"box": [0, 1], "goal": {"targeted": [1, 2]}}, "samples": {"indices": [4, 2]}}
    )
    assert JobRequest.model_validate(request.model_dump(mode="json")) == request
