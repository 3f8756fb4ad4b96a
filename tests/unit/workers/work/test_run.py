"""What a runner says is believed only where it is about what was asked, and in the shape it must have."""

import io
from datetime import UTC, datetime
from time import monotonic

import numpy as np
import pytest
from pydantic import TypeAdapter

from algorithms.attacks.hopskipjump import HopSkipJumpParams
from algorithms.mathematics.norms import Norm
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.hint import Hint
from jobs.hints import GivenHints, packed
from jobs.installation.version import VERSION
from jobs.request import JobRequest
from jobs.spec import JobSpec, ThreatSpec
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from models.cards import ModelCard, Reads, SamplesCard
from models.named_arrays import packed as packed_arrays
from tests.jobs_for_tests import finding
from workers import cautions, outcomes
from workers.confinement.levels import Confined
from workers.frames import FrameError
from workers.work import run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHAPE = (2, 3)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def spec(seconds=None, method="square", **threat):
    return JobSpec(
        request=JobRequest.model_validate(
            {"model_id": "mdl_1", "samples_id": "smp_1", "method": {"name": method}, "seed": 7}
            | {"budget": {"seconds": seconds}}
        ),
        model=ModelCard(id="mdl_1", kind="onnx", name="m", state="ready", sha256="a", size_bytes=1, created_at=NOW),
        samples=SamplesCard(
            id="smp_1",
            name="s",
            sha256="b",
            size_bytes=1,
            created_at=NOW,
            count=9,
            shape=SHAPE,
            dtype="float32",
            labelled=True,
            label_minimum=0,
            label_maximum=1,
            minimum=0,
            maximum=1,
        ),
        indices=(4, 2, 8),
        targets=(1, 0, 1),
        threat=ThreatSpec(
            **{"norm": Norm.L2, "lower": 0.0, "upper": 1.0, "epsilon": None, "goal": "untargeted"} | threat
        ),
        chunk_size=2,
    )


def lease(chunk=0, **threat):
    job = spec(**threat)
    return JobLease(
        tenant="t",
        subject_id="job_1",
        work="run",
        chunk=chunk,
        fence=1,
        attempt=1,
        spec=job,
        deadline=monotonic() + 60.0,
    )


def done(index=(4,), label=(0,), x=None, findings=(4, 2), **broken):
    found = [
        Finding(
            index=i,
            label=0,
            predicted=0,
            kind=Kind.ABSTAINED,
            norm="l2",
            value=None,
            queries=1,
            gradients=0,
            ended="finished",
        )
        for i in findings
    ]
    said = {
        "findings": TypeAdapter(list[Finding]).dump_json(found),
        "index": np.array(index, np.int64),
        "x": np.zeros((np.size(index), *SHAPE), np.float32) if x is None else x,
        "label": np.array(label, np.int64),
        "seconds": 1.0,
        "http_calls": 0,
        "device": "cpu",
    }
    return outcomes.ChunkBroken(**said, **broken) if broken else outcomes.ChunkDone(**said)


def through_the_pipe(message):
    return type(message).read(message.frame())


class Desk:
    """What `facts` needs of one: a library that holds what `prepare` made."""

    def __init__(self, made=None):
        self.library = {"basis": None if made is None else packed_arrays(made)}


def facts(held, made=None, samples=None):
    if made is not None:
        asked = held.spec.request.model_copy(update={"method": HopSkipJumpParams(directions="spanning")})
        spec = held.spec.model_copy(update={"auxiliary": held.spec.samples, "request": asked})
        held = held.model_copy(update={"spec": spec, "prepared": Preparation(artifact="basis", seconds=1.0)})
    return through_the_pipe(run.facts(held, samples, Desk(made)))


def test_a_request_names_rows_and_targets_of_its_own_chunk():
    held = lease(chunk=1)
    asked = through_the_pipe(run.request(held, np.zeros((1, *SHAPE), np.float32), None))
    assert (asked.indices, asked.targets.tolist(), asked.y) == ((8,), [1], None)


def test_a_request_about_chunks_in_a_row_names_the_rows_and_targets_of_all():
    held = lease().model_copy(update={"width": 2})
    asked = through_the_pipe(run.request(held, np.zeros((3, *SHAPE), np.float32), None))
    assert (asked.indices, asked.targets.tolist()) == ((4, 2, 8), [1, 0, 1])
    alone = run.request(held.model_copy(update={"width": 1}), np.zeros((2, *SHAPE), np.float32), None)
    assert asked.ends == pytest.approx(alone.ends + run.CHUNK_SECONDS)  # kept back for the chunks behind it


def test_a_job_with_hints_is_told_those_of_its_own_rows():
    point = np.full(SHAPE, 0.25, np.float32)
    given = packed({8: Hint(point, 0.5, 0.125), 4: Hint(reached=0.75)}, SHAPE)
    desk = Desk()
    desk.library = {"hints": given}
    held = lease(chunk=1)
    job = held.spec.model_copy(update={"hints": GivenHints(digest="hints", points=1, reached=2, proven=1)})
    held = held.model_copy(update={"spec": job})
    asked = through_the_pipe(run.request(held, np.zeros((1, *SHAPE), np.float32), None, run.hints(held, desk)))
    np.testing.assert_array_equal(asked.points, point[None])
    assert (asked.reached.tolist(), asked.proven.tolist()) == ([0.5], [0.125])
    assert run.hints(lease(chunk=1), desk) is None


def test_what_all_chunks_have_in_common_is_the_same_for_each_of_them():
    box = {"lower": tuple(range(6)), "upper": tuple(range(1, 7))}
    first, second = (facts(lease(chunk=chunk, **box)) for chunk in (0, 1))
    np.testing.assert_array_equal(first.lower, np.arange(6, dtype=np.float32).reshape(SHAPE))
    assert (first.method, first.seed, first.queries) == ("square@1", 7, 10_000)
    assert first.frame() == second.frame()


@pytest.mark.parametrize(("chunk", "seconds", "kept"), [(1, None, 3.0), (0, None, 3.1), (1, 60, 3.0)])
def test_a_run_ends_early_enough_for_itself_and_the_chunks_behind_it(chunk, seconds, kept):
    held = lease(chunk, seconds=seconds)
    asked = run.request(held, np.zeros((len(held.indices), *SHAPE), np.float32), None)
    assert asked.ends == pytest.approx(held.deadline - kept)


def test_seconds_that_a_job_has_left_are_shared_out_by_samples_left():
    held = lease(chunk=0, seconds=10)  # two of three samples
    before = monotonic()
    asked = run.request(held, np.zeros((2, *SHAPE), np.float32), None)
    share = (held.deadline - 2.0 - before) * 2 / 3
    assert before + share <= asked.ends <= monotonic() + share


def test_an_unbounded_box_arrives_unbounded():
    told = facts(lease(lower=None, upper=None))
    assert (told.lower, told.upper) == (-np.inf, np.inf)


def test_a_job_is_told_of_the_pool_and_the_basis_where_there_are_any():
    assert (facts(lease()).pool, facts(lease()).prepared) == (None, {})
    held, x = lease(method="hopskipjump"), np.random.default_rng(0).random((9, *SHAPE), np.float32)
    told = facts(held, {"basis": np.eye(6, dtype=np.float32)}, npz(x=x))
    np.testing.assert_array_equal(told.pool, x)
    np.testing.assert_array_equal(told.prepared["basis"], np.eye(6))


@pytest.mark.parametrize(("because", "warned"), [("graph", ()), ("values", ("output_guessed",)), ("told", ())])
def test_a_guess_at_what_the_output_is_goes_with_the_numbers(because, warned):
    reads = Reads(output="p", as_="probability", because=because)
    assert cautions.about(spec().model.model_copy(update={"reads": reads})) == warned
    assert cautions.about(spec().model) == ()


def test_findings_about_the_rows_asked_are_believed():
    assert [finding.index for finding in outcomes.findings(done(), lease())] == [4, 2]


@pytest.mark.parametrize("rows", [(4,), (2, 4), (4, 2, 8), (4, 8), ()], ids=str)
def test_findings_about_other_rows_are_not(rows):
    with pytest.raises(FrameError):
        outcomes.findings(done(findings=rows), lease())


@pytest.mark.parametrize(("rows", "believed"), [((), True), ((4,), True), ((2,), True), ((2, 4), False), ((8,), False)])
def test_of_a_model_that_failed_on_the_way_some_findings_are_enough(rows, believed):
    broken = done(findings=rows, index=(), label=(), code="model_fault", detail="It crashed.")
    if believed:
        assert tuple(finding.index for finding in outcomes.findings(broken, lease())) == rows
    else:
        with pytest.raises(FrameError):
            outcomes.findings(broken, lease())


def searched(seconds, curve=((1, 0.5), (3, None))):
    """An answer about rows 4 and 2, of which 4 has a curve."""
    told = [finding(4, details={"curve": [list(point) for point in curve]}), finding(2)]
    said = {"findings": TypeAdapter(list[Finding]).dump_json(told), "curve_seconds": seconds}
    return through_the_pipe(done().model_copy(update=said))


def test_seconds_of_a_curve_are_kept_beside_the_findings():
    result = run.believed(searched({4: (0.25, 1.5)}), lease(), Keeping(), np.zeros((2, *SHAPE), np.float32))
    assert result.curve_seconds == {4: (0.25, 1.5)}
    assert "seconds" not in str(result.findings)


@pytest.mark.parametrize("seconds", [{4: (0.25,)}, {4: (0.1, 0.2, 0.3)}, {2: (0.25,)}, {8: (0.25, 1.5)}], ids=str)
def test_seconds_of_other_points_than_a_curve_has_are_not_believed(seconds):
    with pytest.raises(FrameError):
        outcomes.findings(searched(seconds), lease())


@pytest.mark.parametrize("seconds", [{4: (0.25, -1.0)}, {4: (0.25, float("nan"))}], ids=str)
def test_seconds_that_are_none_are_not_read(seconds):
    with pytest.raises(FrameError):
        searched(seconds)


def test_a_curve_longer_than_any_method_tells_has_no_seconds():
    with pytest.raises(FrameError):
        outcomes.findings(searched({4: (0.25,) * 40}, [(n, 0.5) for n in range(40)]), lease())


class Keeping:
    """What `believed` needs of a desk."""

    confined = Confined("strict")

    def keep(self, data):
        return str(len(data))


CARD = {"card": "NVIDIA H200", "cuda": "13.0", "cudnn": "91900", "provider": "CUDAExecutionProvider"}


def test_a_result_names_the_card_and_the_rows_a_call_that_its_bits_depend_on():
    told = {**CARD, "batch": "scores 128, gradients 512"}
    answer = through_the_pipe(done().model_copy(update={"device": "cuda", "computed_with": told}))
    result = run.believed(answer, lease(), Keeping(), np.zeros((2, *SHAPE), np.float32))
    assert told.items() <= result.versions.items()
    assert result.versions["brinell"] == VERSION and "numpy" in result.versions
    assert not CARD.keys() & run.believed(done(), lease(), Keeping(), np.zeros((2, *SHAPE), np.float32)).versions.keys()


@pytest.mark.parametrize("told", [{"brinell": "9.9"}, {"card": "x" * 5000}], ids=["another fact", "long"])
def test_a_runner_says_of_what_it_computed_with_nothing_but_the_card(told):
    with pytest.raises(FrameError):
        through_the_pipe(done().model_copy(update={"computed_with": told}))


@pytest.mark.parametrize("blob", [b"", b"{}", b'[{"index": 4}]', b"\xff"])
def test_findings_that_cannot_be_read_are_not(blob):
    with pytest.raises(FrameError):
        outcomes.findings(done().model_copy(update={"findings": blob}), lease())


def test_adversarial_points_become_an_npz_that_says_whose_they_are():
    x = np.random.default_rng(0).random((2, *SHAPE), np.float32)
    data = outcomes.adversarials(done(index=(4, 2), label=(0, 1), x=x), lease())
    with np.load(io.BytesIO(data)) as npz:
        assert npz["index"].tolist() == [4, 2]
        assert npz["label"].tolist() == [0, 1]
        np.testing.assert_array_equal(npz["x"], x)


def test_the_same_points_give_the_same_bytes():
    assert outcomes.adversarials(done(), lease()) == outcomes.adversarials(done(), lease())


def test_no_points_give_no_file():
    assert outcomes.adversarials(done(index=(), label=()), lease()) is None


@pytest.mark.parametrize(
    "points",
    [
        {"index": (3,)},
        {"index": 4, "label": 0, "x": np.zeros(SHAPE, np.float32)},
        {"index": (4,), "label": (0, 1)},
        {"x": np.zeros((1, 6), np.float32)},
        {"x": np.zeros((2, *SHAPE), np.float32)},
    ],
    ids=["another row", "no list of rows", "labels of another number", "another shape", "points of another number"],
)
def test_adversarial_points_that_do_not_fit_are_not_believed(points):
    with pytest.raises(FrameError):
        outcomes.adversarials(done(**points), lease())
