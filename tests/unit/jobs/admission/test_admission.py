"""Every refusal of a job, its code, its place, and a sentence that says what to do."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from algorithms import registry
from algorithms.errors import Conflict, Refused
from algorithms.seam.access import Access
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, Threat
from jobs import auxiliary
from jobs.admission import lattice
from jobs.admission.admission import SelectedRows, admit, selected, wants_rows
from jobs.admission.fitting import misfit
from jobs.request import MAX_SAMPLES
from jobs.spec import JobSpec
from models.cards import ModelCard, ModelInput, SamplesCard
from tests.jobs_for_tests import CLASSES, SHAPE, model_card, ready_card, request, samples_card

MODEL = ready_card()
SAMPLES = samples_card()
X = np.linspace(0, 1, 10 * 4, dtype=np.float32).reshape(10, *SHAPE)
Y = np.arange(10, dtype=np.int64) % CLASSES
PGD = {"method": {"name": "pgd"}}
BPDA = {"method": {"name": "bpda"}}
SQUARE = {"method": {"name": "square"}}
NES = {"method": {"name": "nes"}}
WALK = {"method": {"name": "hopskipjump"}}
SPANNING = {"method": {"name": "hopskipjump", "directions": "spanning"}}
DECODER = {"method": {"name": "hopskipjump", "directions": "decoder"}}
LATTICE = {"lattice": {"levels": 40}}  # on which X lies
L1_TARGETED = {"norm": "l1", "goal": {"targeted": "random"}}
ONLY_LABELS = ready_card(offers=(Access.LABELS,))
ONLY_SCORES = ready_card(offers=(Access.LABELS, Access.SCORES))


def admitted(
    *, model: ModelCard = MODEL, upload: SamplesCard = SAMPLES, auxiliary: SamplesCard | None = None, **body: Any
) -> JobSpec:
    asked = request(model, upload, **body)
    if not wants_rows(asked, model, upload):
        return admit(asked, model, upload, auxiliary=auxiliary)
    chosen = list(selected(asked, upload))
    return admit(asked, model, upload, SelectedRows(x=X[chosen], y=Y[chosen] if upload.labelled else None))


REFUSALS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"threat": {"scale": 1}}, "not_available", "/threat/scale", "leave it out"),
    ({"threat": {"frozen": [0]}}, "not_available", "/threat/frozen", "leave it out"),
    (
        {"threat": LATTICE},
        "lattice_not_supported",
        "/threat/lattice",
        "clever needs any number.*leave threat.lattice out.*What fits is .*hopskipjump",
    ),
    ({**WALK, "threat": {**LATTICE, "box": None}}, "invalid_request", "/threat/lattice", "two ends; give threat.box"),
    (
        {**WALK, "threat": {"lattice": {"levels": 256}}},
        "outside_box",
        "/threat/lattice",
        "10 of the 10 .*/ 255 for whole k from 0 to 255; round them",
    ),
    ({"auxiliary": SAMPLES}, "invalid_request", "/auxiliary_samples_id", "clever .*leave auxiliary_samples_id out"),
    ({**WALK, "auxiliary": SAMPLES}, "invalid_request", "/auxiliary_samples_id", "uses no auxiliary samples"),
    ({**SPANNING}, "invalid_request", "/auxiliary_samples_id", "give auxiliary_samples_id"),
    (
        {**SPANNING, "auxiliary": samples_card(shape=(4,))},
        "shape_mismatch",
        "/auxiliary_samples_id",
        r"\[4\].*\[1, 2, 2\]",
    ),
    (
        {"method": {**SPANNING["method"], "subspace": "top", "rank": 11}, "auxiliary": samples_card(shape=(1, 2, 2))},
        "invalid_request",
        "/auxiliary_samples_id",
        "4 directions at the most .* 11 are asked for: set rank to 4 or less, or name more",
    ),
    (DECODER, "invalid_request", "/auxiliary_samples_id", "to train an auto-encoder on; give auxiliary_samples_id"),
    (
        {**DECODER, "auxiliary": samples_card(count=19)},
        "invalid_request",
        "/auxiliary_samples_id",
        "20 auxiliary samples at least, not on 19; name more",
    ),
    ({**DECODER, "auxiliary": samples_card(shape=(4,), count=50)}, "shape_mismatch", "/auxiliary_samples_id", r"\[4\]"),
    ({**SPANNING, "auxiliary": samples_card(maximum=0.0)}, "invalid_request", "/auxiliary_samples_id", "all zero"),
    ({"model": ONLY_SCORES}, "access_too_weak", "/method/name", "needs scores, gradients; .*What fits is .*square"),
    (
        BPDA,
        "access_too_weak",
        "/method/name",
        "bpda needs scores, substitutes for gradients; .* no steps of a graph .*What fits is .*pgd",
    ),
    ({"model": ONLY_LABELS}, "access_too_weak", "/method/name", "offers labels. What fits is .*smoothing"),
    ({"model": ONLY_LABELS}, "access_too_weak", "/method/name", "What fits is .*nes with information: labels"),
    (
        {**NES, "model": ONLY_LABELS},
        "access_too_weak",
        "/method/name",
        "nes needs scores; .* offers labels. What fits is .*nes with information: labels",
    ),
    ({"model": ONLY_LABELS, "threat": L1_TARGETED}, "access_too_weak", "/method/name", "What fits is transfer"),
    (
        {**SQUARE, "threat": {"norm": "l0"}},
        "norm_not_supported",
        "/threat/norm",
        "l2, linf, l1, not in l0.*noise, .*sigma_zero",
    ),
    *(
        (
            {**WALK, "model": ONLY_LABELS, "threat": {"goal": {"targeted": rule}}},
            "goal_not_supported",
            "/threat/goal/targeted",
            "answers labels only; use random",
        )
        for rule in ("least_likely", "runner_up")
    ),
    ({"threat": {"epsilon": 0.1}}, "epsilon_refused", "/threat/epsilon", "leave threat.epsilon out"),
    (
        {"method": {"name": "apgd", "loss": "targeted_dlr"}},
        "invalid_request",
        "/method",
        "three classes: take loss dlr or margin",
    ),
    ({"upload": samples_card(shape=(4,))}, "shape_mismatch", "/samples_id", r"\[4\].*\[1, 2, 2\]"),
    ({"upload": samples_card(label_maximum=3)}, "label_out_of_range", "/samples_id", "0 to 3.*0 to 2"),
    ({"upload": samples_card(label_minimum=-1)}, "label_out_of_range", "/samples_id", "from -1"),
    ({"upload": samples_card(maximum=255.0)}, "box_required", "/threat/box", "0 to 255.*threat.box"),
    ({"upload": samples_card(minimum=-0.1)}, "box_required", "/threat/box", "null"),
    ({"threat": {"box": [0, 0.5]}}, "outside_box", "/threat/box", "0 to 1.*widen"),
    ({"threat": {"box": [[0, 0, 0, 0], [0.9, 1, 1, 1]]}}, "outside_box", "/threat/box", "widen"),
    ({"threat": {"box": [1, 0]}}, "invalid_request", "/threat/box", "swap"),
    ({"threat": {"box": ["0", 1]}}, "invalid_request", "/threat/box/0", r"shape \[1, 2, 2\]"),
    ({"threat": {"box": [0, True]}}, "invalid_request", "/threat/box/1", "numbers"),
    ({"threat": {"box": [0, [1, 1, 1]]}}, "invalid_request", "/threat/box/1", "shape"),
    ({"threat": {"box": [[[0], [0, 0]], 1]}}, "invalid_request", "/threat/box/0", "shape"),
    ({"threat": {"box": [0, 1e300]}}, "invalid_request", "/threat/box/1", "finite"),
    ({"threat": {"box": [0, None]}}, "invalid_request", "/threat/box/1", "numbers"),
    ({"samples": {"indices": [3, 10]}}, "invalid_request", "/samples/indices", "10 samples"),
    ({"upload": samples_card(count=MAX_SAMPLES + 1)}, "invalid_request", "/samples/limit", "samples.limit"),
    ({**PGD, "threat": {"goal": {"targeted": [1]}}}, "invalid_request", "/threat/goal/targeted", "each of the 10"),
    (
        {**PGD, "threat": {"goal": {"targeted": [1, 3]}}, "samples": {"limit": 2}},
        "label_out_of_range",
        "/threat/goal/targeted/1",
        "0 to 2",
    ),
    (
        {**PGD, "threat": {"goal": {"targeted": [1, 1]}}, "samples": {"limit": 2}},
        "invalid_request",
        "/threat/goal/targeted/1",
        "differ from the sample's label",
    ),
    ({"budget": {"gradients_per_sample": 10}}, "budget_too_small", "/budget/gradients_per_sample", r"at least \d{4}"),
    ({**SQUARE, "budget": {"queries_per_sample": 1}}, "budget_too_small", "/budget/queries_per_sample", "at least 4"),
    (
        {**SQUARE, "budget": {"queries_per_sample": 19, "repeats": 5}},
        "budget_too_small",
        "/budget/queries_per_sample",
        "at least 20 queries a sample with 5 answers to each row, 19 are allowed",
    ),
]


@pytest.mark.parametrize(("changes", "code", "pointer", "sentence"), REFUSALS)
def test_it_is_refused_with_code_place_and_advice(
    changes: dict[str, Any], code: str, pointer: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        admitted(**changes)
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


def test_where_labels_are_enough_for_a_parameter_a_model_of_labels_is() -> None:
    method = {"name": "nes", "information": "labels"}
    assert admitted(method=method, model=ONLY_LABELS).queue == "compute"


@pytest.mark.parametrize(("card", "state"), [(model_card(), "inspecting"), (model_card().refused("c", "d"), "refused")])
def test_a_model_that_is_not_ready_is_a_conflict(card: ModelCard, state: str) -> None:
    with pytest.raises(Conflict, match=state) as conflict:
        admitted(model=card)
    assert (conflict.value.code, conflict.value.pointer) == ("model_not_ready", "/model_id")


def test_a_method_that_answers_at_a_radius_only_wants_epsilon(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_radius = replace(registry.method("pgd"), epsilon="required")
    monkeypatch.setitem(registry._BY_NAME, "pgd", at_a_radius)
    with pytest.raises(Refused) as refusal:
        admitted(**PGD)
    assert (refusal.value.code, refusal.value.pointer) == ("epsilon_required", "/threat/epsilon")
    assert admitted(**PGD, threat={"epsilon": 0.1}).threat.epsilon == 0.1


def test_a_method_without_targets_refuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._BY_NAME, "pgd", replace(registry.method("pgd"), goals=("untargeted",)))
    with pytest.raises(Refused, match="only be untargeted") as refusal:
        admitted(**PGD, threat={"goal": {"targeted": "random"}})
    assert (refusal.value.code, refusal.value.pointer) == ("goal_not_supported", "/threat/goal")


@pytest.mark.parametrize(
    ("threat", "lower", "upper"),
    [
        ({}, 0.0, 1.0),
        ({"box": None}, None, None),
        ({"box": [-1, 2]}, -1.0, 2.0),
        ({"box": [[0, 0, 0, 0], [1, 2, 3, 4]]}, (0.0, 0.0, 0.0, 0.0), (1.0, 2.0, 3.0, 4.0)),
        ({"box": [0, [[[1, 2], [3, 4]]]]}, 0.0, (1.0, 2.0, 3.0, 4.0)),
    ],
)
def test_a_box_may_be_left_out_null_scalar_flat_or_nested(threat: dict[str, Any], lower: Any, upper: Any) -> None:
    spec = admitted(threat=threat)
    assert (spec.threat.lower, spec.threat.upper) == (lower, upper)
    box = spec.threat.threat(SHAPE).box
    assert box.is_bounded == (lower is not None)
    assert box.upper.shape == (SHAPE if isinstance(upper, tuple) else ())
    assert box.contains(X).all()


WIDE = samples_card(minimum=-3.0, maximum=7.0)  # some other rows than those of X


@pytest.mark.parametrize("chosen", [{"limit": 3}, {"indices": [0, 2]}], ids=str)
@pytest.mark.parametrize("threat", [{}, {"box": [0, 1]}, {"box": [0, 0.5]}], ids=str)
def test_selected_rows_that_fit_are_in_the_box_whatever_else_the_upload_holds(
    chosen: dict[str, Any], threat: dict[str, Any]
) -> None:
    assert admitted(upload=WIDE, samples=chosen, threat=threat).threat.lower == 0


@pytest.mark.parametrize(
    ("threat", "code"), [({}, "box_required"), ({"box": [0, 1]}, "outside_box")], ids=["left out", "given"]
)
def test_selected_rows_that_do_not_fit_are_refused_by_their_own_range(threat: dict[str, Any], code: str) -> None:
    asked = request(MODEL, WIDE, samples={"limit": 3}, threat=threat)
    assert wants_rows(asked, MODEL, WIDE)
    with pytest.raises(Refused, match="from 0 to 2") as refusal:
        admit(asked, MODEL, WIDE, SelectedRows(x=2 * X, y=Y))
    assert refusal.value.code == code


def test_more_samples_than_a_job_takes_are_refused_before_they_are_listed() -> None:
    """A small file can hold a thousand million rows."""
    upload = samples_card(count=10**12, labelled=False)
    with pytest.raises(Refused, match="at most 100000 samples") as refusal:
        selected(request(ready_card(), upload), upload)
    assert refusal.value.pointer == "/samples/limit"


@pytest.mark.parametrize("chosen", [{}, {"limit": 10}, {"limit": 99}], ids=str)
def test_rows_are_not_read_where_all_are_selected_or_the_card_shows_that_they_fit(chosen: dict[str, Any]) -> None:
    assert not wants_rows(request(MODEL, WIDE, samples=chosen), MODEL, WIDE)
    assert not wants_rows(request(MODEL, SAMPLES, samples={"limit": 3}), MODEL, SAMPLES)
    assert not wants_rows(request(MODEL, WIDE, samples={"limit": 3}, threat={"box": None}), MODEL, WIDE)


def test_a_box_per_feature_is_checked_feature_by_feature() -> None:
    lowest, highest = X.min(axis=0).ravel().tolist(), X.max(axis=0).ravel().tolist()
    assert admitted(threat={"box": [lowest, highest]}).threat.upper == tuple(highest)
    with pytest.raises(Refused):
        admitted(threat={"box": [lowest, [*highest[:3], highest[3] - 0.01]]})


@pytest.mark.parametrize(
    ("given", "kept", "upper"),
    [
        ([[[1]], [[2]], [[3]]], ([[1.0]], [[2.0]], [[3.0]]), [[[1] * 2] * 2, [[2] * 2] * 2, [[3] * 2] * 2]),
        ([[[1], [2]]], ([[1.0], [2.0]],), [[[1, 1], [2, 2]]] * 3),
        ([[[1]]], 1.0, 1),
    ],
    ids=["a number a channel", "a number a row", "one number"],
)
def test_a_side_of_the_box_may_say_a_whole_axis_by_one_number(given: Any, kept: Any, upper: Any) -> None:
    upload, model = samples_card(shape=(3, 2, 2)), ready_card(input=MODEL.input.model_copy(update={"shape": (3, 2, 2)}))
    asked = request(model, upload, threat={"box": [0, given]})
    rows = SelectedRows(x=np.ones((10, 3, 2, 2), np.float32), y=None)
    spec = JobSpec.model_validate_json(admit(asked, model, upload, rows).model_dump_json())
    assert spec.threat.upper == kept
    assert np.array_equal(spec.threat.threat((3, 2, 2)).box.upper, np.array(upper, np.float32))
    with pytest.raises(Refused, match="outside"):
        admit(asked, model, upload, replace(rows, x=np.full((10, 3, 2, 2), 3.5, np.float32)))


def test_the_box_left_out_is_echoed_and_so_are_all_samples() -> None:
    echoed = admitted().request
    assert (echoed.threat.box, echoed.samples.limit) == ([0.0, 1.0], 10)
    assert admitted(threat={"box": None}).request.threat.box is None


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({}, tuple(range(10))),
        ({"limit": 3}, (0, 1, 2)),
        ({"limit": 99}, tuple(range(10))),
        ({"indices": [7, 2]}, (7, 2)),
    ],
)
def test_samples_are_chosen_by_limit_or_by_index(chosen: dict[str, Any], rows: tuple[int, ...]) -> None:
    assert admitted(samples=chosen).indices == rows


@pytest.mark.parametrize(("goal", "rule"), [("random", "random"), ("runner_up", "runner_up"), ([1, 2], "given")])
def test_targets_are_a_rule_or_given(goal: Any, rule: str) -> None:
    spec = admitted(**PGD, threat={"goal": {"targeted": goal}}, samples={"limit": 2})
    assert spec.threat.threat(SHAPE).targeted == rule
    assert spec.targets == (tuple(goal) if rule == "given" else None)


def test_given_targets_of_samples_without_labels_are_taken() -> None:
    unlabelled = samples_card(labelled=False, label_minimum=None, label_maximum=None)
    assert admitted(**PGD, upload=unlabelled, threat={"goal": {"targeted": [0] * 10}}).targets == (0,) * 10


def test_chunks_are_ranges_of_the_selection_in_the_methods_size() -> None:
    spec = admitted(samples={"indices": [9, 8, 7, 6, 5, 4]})
    assert spec.chunk_size == registry.method("clever").chunk == 2
    assert [spec.rows(chunk) for chunk in range(spec.chunks)] == [(9, 8), (7, 6), (5, 4)]


def test_a_worker_may_take_chunks_in_a_row_while_their_samples_are_small() -> None:
    def at_once(*shape: int, method: str = "pgd") -> int:
        model = ready_card(input=ModelInput(name="x", dtype="float32", shape=shape, batch=None))
        upload = samples_card(shape=shape)
        return admitted(model=model, upload=upload, method={"name": method}).chunks_at_once

    assert [at_once(3, size, size) for size in (32, 112, 224)] == [8, 3, 1]
    assert at_once(3, 224, 224, method="clever") == 16


def test_attacks_by_gradients_fill_a_card() -> None:
    by_gradients = [method for method in registry.METHODS if method.cohort and Access.GRADIENTS in method.needs]
    attacks = [method for method in by_gradients if method.family == "attack"]
    assert attacks and {method.chunk * method.chunks_at_once for method in attacks} == {512}


def test_chunks_whose_samples_share_a_budget_are_never_taken_as_one() -> None:
    spec = admitted(model=ready_card(offers=tuple(Access)), method={"name": "close"})
    assert (spec.chunk_size, spec.chunks_at_once) == (32, 1)


def test_a_model_that_lives_elsewhere_is_the_work_of_a_probe() -> None:
    assert (admitted().queue, admitted(model=ready_card(kind="endpoint")).queue) == ("compute", "probe")


def test_a_spec_survives_its_storage() -> None:
    spec = admitted(**PGD, threat={"box": [0, [1, 1, 1, 1]], "goal": {"targeted": "least_likely"}})
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("method", "count", "why"),
    [
        ({**SPANNING["method"], "subspace": "top", "rank": 3}, 9, "2 directions at the most .* 3 are asked for: .*"),
        (DECODER["method"], 20, "20 auxiliary samples at least, not on 2; .*"),
    ],
)
def test_samples_too_large_to_be_used_at_once_count_as_those_that_are(
    method: dict[str, Any], count: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = samples_card(bytes_of="c", count=count)
    monkeypatch.setattr(auxiliary, "MOST_BYTES", 2 * 4 * math.prod(SHAPE))
    with pytest.raises(Refused, match=f"{why}Of samples this large only the first 2 are used") as refusal:
        admitted(method=method, auxiliary=others)
    assert refusal.value.pointer == "/auxiliary_samples_id"


def test_auxiliary_samples_become_a_part_of_the_job() -> None:
    others = samples_card(bytes_of="c", labelled=False)
    assert admitted(**SPANNING, auxiliary=others).auxiliary == others
    assert admitted(**WALK).auxiliary is None


def test_a_lattice_is_what_the_job_runs_on_and_is_said_where_there_is_one():
    spec = admitted(**WALK, threat=LATTICE)
    assert spec.threat.threat(SHAPE).lattice == Lattice(40)
    assert spec.request.model_dump(mode="json")["threat"]["lattice"] == {"levels": 40}
    none = admitted(**WALK)
    assert none.threat.threat(SHAPE).lattice is None
    assert "lattice" not in none.model_dump(mode="json")["threat"]
    assert "lattice" not in none.request.model_dump(mode="json")["threat"]


def test_only_the_selected_samples_have_to_lie_on_the_lattice():
    off = X.copy()
    off[0] += np.float32(0.01)
    asked = request(MODEL, SAMPLES, **WALK, threat=LATTICE, samples={"indices": [1, 2]})
    assert wants_rows(asked, MODEL, SAMPLES)
    admit(asked, MODEL, SAMPLES, SelectedRows(x=off[[1, 2]], y=Y[[1, 2]] if SAMPLES.labelled else None))


@pytest.mark.parametrize("name", [method.name for method in registry.METHODS if not method.keeps_lattice])
def test_a_method_that_cannot_keep_to_a_lattice_says_so(name):
    method = registry.method(name)
    fits = misfit(method, method.params(name=name), request(MODEL, SAMPLES, threat=LATTICE).threat, MODEL)
    assert fits in ("lattice_not_supported", "access_too_weak", "norm_not_supported")


def test_a_lattice_too_fine_for_float32_is_refused():
    box = Box(np.float32(1000) * np.ones((), np.float32), np.float32(1001) * np.ones((), np.float32))
    with pytest.raises(Refused, match="fewer levels"):
        lattice.check(Threat(box=box, lattice=Lattice(65_536)), None)
