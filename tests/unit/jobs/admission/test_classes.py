"""Jobs about classes: what is admitted without samples, and every refusal that concerns what they do not take."""

from typing import Any

import numpy as np
import pytest

from algorithms.errors import Refused
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from jobs.request import JobRequest
from jobs.spec import JobSpec
from models.cards import ModelCard
from tests.jobs_for_tests import CLASSES, SHAPE, ready_card, samples_card

MODEL = ready_card()


def asked(**body: Any) -> JobRequest:
    return JobRequest.model_validate({"model_id": MODEL.id, "method": {"name": "input_free"}} | body)


def admitted(model: ModelCard = MODEL, **body: Any) -> JobSpec:
    return admit(asked(**body), model, None)


def test_without_samples_all_classes_are_asked_for_and_what_was_left_out_is_said() -> None:
    spec = admitted()
    assert (spec.samples, spec.indices, spec.targets_of(0), spec.shape) == (None, (0, 1, 2), (0, 1, 2), SHAPE)
    assert spec.request.samples.model_dump() == {"limit": CLASSES}
    assert spec.request.threat.box == [0.0, 1.0]
    assert (spec.threat.lower, spec.threat.upper) == (0.0, 1.0)
    assert spec.request.model_dump(mode="json")["samples_id"] is None


@pytest.mark.parametrize(
    ("samples", "indices"),
    [({"limit": 2}, (0, 1)), ({"limit": 99}, (0, 1, 2)), ({"indices": [2, 0]}, (2, 0))],
)
def test_a_selection_chooses_classes(samples: dict[str, Any], indices: tuple[int, ...]) -> None:
    assert admitted(samples=samples).indices == indices


def test_chunks_are_ranges_of_classes_which_are_their_own_targets() -> None:
    spec = admitted().model_copy(update={"chunk_size": 2})
    assert spec.chunks == 2
    assert (spec.rows(1), spec.targets_of(1)) == ((2,), (2,))


def test_a_box_for_each_feature_has_its_own_middle() -> None:
    threat = admitted(threat={"box": [[0, 0, 0, 0], [1, 2, 3, 4]]}).threat.threat(SHAPE)
    np.testing.assert_array_equal(threat.box.middle(SHAPE).ravel(), np.float32([0.5, 1, 1.5, 2]))


REFUSALS = {
    "samples": ({"samples_id": "smp_a"}, "invalid_request", "/samples_id", "leave samples_id out"),
    "a norm": ({"threat": {"norm": "linf"}}, "norm_not_supported", "/threat/norm", "leave threat.norm out"),
    "pixels": ({"threat": {"norm": "l0", "pixelwise": True}}, "norm_not_supported", "/threat/norm", "leave"),
    "a radius": ({"threat": {"epsilon": 0.1}}, "epsilon_refused", "/threat/epsilon", "leave threat.epsilon out"),
    "targets": ({"threat": {"goal": {"targeted": [1]}}}, "goal_not_supported", "/threat/goal", "samples.indices"),
    "a rule": ({"threat": {"goal": {"targeted": "random"}}}, "goal_not_supported", "/threat/goal", "leave"),
    "no bounds": ({"threat": {"box": None}}, "box_required", "/threat/box", "no middle"),
    "an empty box": ({"threat": {"box": [1, 0]}}, "invalid_request", "/threat/box", "swap"),
    "another shape": ({"threat": {"box": [[0, 0], [1, 1]]}}, "invalid_request", "/threat/box/0", r"\[1, 2, 2\]"),
    "no such class": ({"samples": {"indices": [3]}}, "invalid_request", "/samples/indices", "has 3 classes"),
    "a small budget": (
        {"budget": {"queries_per_sample": 9}},
        "budget_too_small",
        "/budget/queries_per_sample",
        "queries a class",
    ),
}


@pytest.mark.parametrize(("body", "code", "pointer", "advice"), REFUSALS.values(), ids=REFUSALS)
def test_what_classes_do_not_have_is_refused_with_a_way_out(body: Any, code: str, pointer: str, advice: str) -> None:
    with pytest.raises(Refused, match=advice) as refused:
        admitted(**body)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_the_norm_that_is_meant_where_none_is_given_may_be_given() -> None:
    assert admitted(threat={"norm": "l2"}) == admitted()


def test_a_model_that_gives_labels_only_is_refused_with_methods_that_fit_samples() -> None:
    with pytest.raises(Refused, match=r"needs scores; .* What fits is .*hopskipjump") as refused:
        admitted(ready_card(offers=(Access.LABELS,)))
    assert refused.value.code == "access_too_weak"


@pytest.mark.parametrize("name", [method.name for method in METHODS if not method.is_about_classes])
def test_a_method_about_samples_is_refused_without_them(name: str) -> None:
    with pytest.raises(Refused, match=r"upload some and give their samples_id. Only input_free takes none") as refused:
        admit(asked(method={"name": name}), MODEL, None)
    assert (refused.value.code, refused.value.pointer) == ("invalid_request", "/samples_id")


def test_a_job_whose_samples_are_gone_is_not_taken_for_one_about_classes() -> None:
    samples = samples_card()
    request = asked(method={"name": "pgd"}, samples_id=samples.id)
    spec = admit(request, MODEL, samples)
    with pytest.raises(ValueError, match="samples that are gone"):
        JobSpec.model_validate(spec.model_dump() | {"samples": None})
