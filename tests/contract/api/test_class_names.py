"""Class names over HTTP: on the cards of models and samples, and in what is said of labels that mean no class."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from algorithms.seam.access import Access
from models.cards import Inspection, ModelInput, ModelOutput, Reads
from tests.contract.api.conftest import SHAPE, Api, npz
from tests.contract.api.test_problems import problem_of

FROM_ONE, SIGNS, WORDS = ("1", "2", "3"), ("-1", "1"), ("cat", "dog", "emu")


def found(names: tuple[str, ...] | None) -> Inspection:
    return Inspection(
        input=ModelInput(name="x", dtype="float32", shape=SHAPE, batch=None),
        output=ModelOutput(name="y", classes=3 if names is None else len(names), kind="logits"),
        reads=Reads(output="y", as_="logits", because="graph"),
        classes_named=names,
        offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS),
    )


def body(api: Api, caller: TestClient, names: tuple[str, ...] | None, y: Any, **change: Any) -> dict[str, Any]:
    """A request on samples of these labels."""
    model = api.a_model(caller)
    api.inspect(model["id"], found(names))
    assert caller.get(f"/v1/models/{model['id']}").json()["classes_named"] == (names and list(names))
    samples = api.samples(caller, npz(x=np.zeros((len(y), *SHAPE), np.float32), y=np.array(y)))
    assert samples["label_values"] == sorted(set(y))
    return {"model_id": model["id"], "samples_id": samples["id"]} | change


@pytest.mark.parametrize(
    ("names", "y"),
    [
        (FROM_ONE, [1, 2, 3]),
        (FROM_ONE, [1, 2, 1]),
        (SIGNS, [1, -1]),
        (WORDS, ["emu", "cat"]),
        (WORDS, [0, 2]),
        (None, [0, 2]),
    ],
)
def test_labels_that_mean_classes_are_taken_by_jobs_and_audits(
    api: Api, caller: TestClient, names: tuple[str, ...] | None, y: list[Any]
) -> None:
    asked = body(api, caller, names, y)
    assert caller.post("/v1/jobs", json=asked | {"method": {"name": "pgd"}}).status_code == 202
    assert caller.post("/v1/audits", json=asked | {"recipe": [{"name": "pgd"}]}).status_code == 202


@pytest.mark.parametrize(
    ("names", "y", "told"),
    [
        (FROM_ONE, [0, 1, 2], "column 0 is class 1"),
        (SIGNS, [0, 1], "column 0 is class -1"),
        (WORDS, ["emu", "bird"], '"bird" is no class'),
        (WORDS, [1, 2, 3], "run from 1 to 3"),
        (None, ["cat"], "does not tell what its classes are called"),
    ],
)
def test_labels_that_mean_none_are_refused_by_jobs_and_audits(
    api: Api, caller: TestClient, names: tuple[str, ...] | None, y: list[Any], told: str
) -> None:
    asked = body(api, caller, names, y)
    for path, rest in (("/v1/jobs", {"method": {"name": "pgd"}}), ("/v1/audits", {"recipe": [{"name": "pgd"}]})):
        problem = problem_of(caller.post(path, json=asked | rest), "label_out_of_range")
        assert told in problem.detail and [error.pointer for error in problem.errors or []] == ["/samples_id"]


def test_targets_are_labels_too(api: Api, caller: TestClient) -> None:
    job = body(api, caller, FROM_ONE, [1, 2], method={"name": "pgd"})

    def towards(*targets: int) -> Any:
        return caller.post("/v1/jobs", json=job | {"threat": {"goal": {"targeted": list(targets)}}})

    taken = towards(3, 1)
    assert taken.status_code == 202
    assert api.store.jobs.spec("acme", taken.json()["id"]).targets == (2, 0), "columns"
    assert "(column 0 is class 1)" in problem_of(towards(0, 1), "label_out_of_range").detail
    assert "differ" in problem_of(towards(1, 1), "invalid_request").detail


@pytest.mark.parametrize("names", [FROM_ONE, tuple(f"class {n}" for n in range(1200))])
def test_labels_that_no_card_lists_are_looked_up_in_the_selected_rows(
    api: Api, caller: TestClient, names: tuple[str, ...]
) -> None:
    count = 1100
    y = np.arange(count) if names == FROM_ONE else np.array([f"class {n}" for n in range(count)])
    model = api.a_model(caller)
    api.inspect(model["id"], found(names))
    samples = api.samples(caller, npz(x=np.zeros((count, *SHAPE), np.float32), y=y))
    assert samples["label_values"] is None
    job = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": "pgd"}}
    chosen = [1, 3] if names == FROM_ONE else [count - 1]
    assert caller.post("/v1/jobs", json=job | {"samples": {"indices": chosen}}).status_code == 202
    wrong = caller.post("/v1/jobs", json=job | {"samples": {"indices": [0]}})
    assert wrong.status_code == (422 if names == FROM_ONE else 202), wrong.text
    unnamed = api.a_ready_model(caller, b"another")
    refused = caller.post("/v1/jobs", json=job | {"model_id": unnamed["id"], "samples": {"limit": 2}})
    problem_of(refused, "label_out_of_range")
