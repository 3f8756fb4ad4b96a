"""What a runner says is believed only where it is about what was asked, and in the shape it must have."""

import io
from datetime import UTC, datetime
from time import monotonic

import numpy as np
import pytest
from pydantic import TypeAdapter

from algorithms.mathematics.norms import Norm
from algorithms.seam.claims import Finding, Kind
from jobs.lease import Lease
from jobs.request import JobRequest
from jobs.spec import JobSpec, ThreatSpec
from models.cards import ModelCard, SamplesCard
from workers import frames
from workers.frames import Frame, FrameError
from workers.supervisor import translation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHAPE = (2, 3)


def spec(seconds=None, **threat):
    return JobSpec(
        request=JobRequest.model_validate(
            {"model_id": "mdl_1", "samples_id": "smp_1", "method": {"name": "square"}, "seed": 7}
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
    return Lease(
        tenant="t",
        job_id="job_1",
        chunk=chunk,
        fence=1,
        attempt=1,
        worker_id="w",
        work="run",
        spec=job,
        model=None,
        indices=job.rows(chunk),
        deadline=monotonic() + 60.0,
    )


def done(index=(4,), label=(0,), x=None, findings=(4, 2)):
    x = np.zeros((len(index), *SHAPE), np.float32) if x is None else x
    frame = frames.with_arrays(
        "done",
        {"index": np.array(index, np.int64), "x": x, "label": np.array(label, np.int64)},
        seconds=1.0,
        device="cpu",
    )
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
    return Frame("done", frame.fields, {**frame.blobs, "findings": TypeAdapter(list[Finding]).dump_json(found)})


def test_a_run_names_rows_targets_and_box_of_its_own_chunk():
    held = lease(chunk=1, lower=tuple(range(6)), upper=tuple(range(1, 7)))
    frame = translation.run_request(held, held.spec, np.zeros((1, *SHAPE), np.float32), None)
    assert frame.fields["indices"] == [8]
    assert frame.array("targets").tolist() == [1]
    assert frame.array("y") is None
    np.testing.assert_array_equal(frame.array("lower"), np.arange(6, dtype=np.float32).reshape(SHAPE))
    assert frame.fields["seed"] == 7
    assert frame.fields["method"] == "square"


@pytest.mark.parametrize(("chunk", "seconds", "kept"), [(1, None, 3.0), (0, None, 3.1), (1, 60, 3.0), (0, 10, 2.0)])
def test_a_run_ends_early_enough_for_itself_and_the_chunks_behind_it(chunk, seconds, kept):
    held = lease(chunk, seconds=seconds)
    frame = translation.run_request(held, held.spec, np.zeros((len(held.indices), *SHAPE), np.float32), None)
    assert frame.fields["ends"] == held.deadline - kept


def test_an_unbounded_box_arrives_unbounded():
    held = lease(lower=None, upper=None)
    frame = translation.run_request(held, held.spec, np.zeros((2, *SHAPE), np.float32), np.zeros(2, np.int64))
    assert frame.array("lower") == -np.inf
    assert frame.array("upper") == np.inf


def test_findings_about_the_rows_asked_are_believed():
    assert [finding.index for finding in translation.findings(done(), lease())] == [4, 2]


@pytest.mark.parametrize("rows", [(4,), (2, 4), (4, 2, 8), (4, 8), ()], ids=str)
def test_findings_about_other_rows_are_not(rows):
    with pytest.raises(FrameError):
        translation.findings(done(findings=rows), lease())


@pytest.mark.parametrize("blob", [b"", b"{}", b'[{"index": 4}]', b"\xff"])
def test_findings_that_cannot_be_read_are_not(blob):
    with pytest.raises(FrameError):
        translation.findings(Frame("done", {}, {"findings": blob}), lease())


def test_adversarial_points_become_an_npz_that_says_whose_they_are():
    x = np.random.default_rng(0).random((2, *SHAPE), np.float32)
    data = translation.adversarials(done(index=(4, 2), label=(0, 1), x=x), lease(), spec())
    with np.load(io.BytesIO(data)) as npz:
        assert npz["index"].tolist() == [4, 2]
        assert npz["label"].tolist() == [0, 1]
        np.testing.assert_array_equal(npz["x"], x)


def test_the_same_points_give_the_same_bytes():
    assert translation.adversarials(done(), lease(), spec()) == translation.adversarials(done(), lease(), spec())


def test_no_points_give_no_file():
    assert translation.adversarials(done(index=(), label=()), lease(), spec()) is None


@pytest.mark.parametrize(
    "points",
    [
        {"index": (3,)},
        {"index": (4,), "label": (0, 1)},
        {"x": np.zeros((1, 6), np.float32)},
        {"x": np.zeros((2, *SHAPE), np.float32)},
    ],
    ids=["another row", "labels of another number", "another shape", "points of another number"],
)
def test_adversarial_points_that_do_not_fit_are_not_believed(points):
    with pytest.raises(FrameError):
        translation.adversarials(done(**points), lease(), spec())


@pytest.mark.parametrize("fields", [{}, {"detail": 3}, {"detail": "x" * 5000}], ids=["none", "no text", "long"])
def test_a_fault_without_a_readable_sentence_is_a_broken_protocol(fields):
    with pytest.raises(FrameError):
        translation.fault(Frame("fault", fields))


def test_an_answer_out_of_turn_is_a_broken_protocol():
    with pytest.raises(FrameError, match="out of turn"):
        translation.fault(Frame("inspected", {"detail": "x"}))


@pytest.mark.parametrize("value", [None, "1", -1.0, float("nan"), float("inf")], ids=str)
def test_a_time_that_is_none_is_a_broken_protocol(value):
    with pytest.raises(FrameError):
        translation.seconds(Frame("done", {"seconds": value}))


def test_a_run_carries_the_pool_and_the_basis_of_its_job_where_there_are_any():
    held, x = lease(), np.zeros((2, *SHAPE), np.float32)
    bare = translation.run_request(held, held.spec, x, None)
    assert (bare.array("pool"), bare.array("basis")) == (None, None)
    full = translation.run_request(held, held.spec, x, None, pool=x + 1, basis=np.eye(6, dtype=np.float32))
    np.testing.assert_array_equal(full.array("pool"), x + 1)
    np.testing.assert_array_equal(full.array("basis"), np.eye(6))


@pytest.mark.parametrize(
    "found",
    [
        None,
        np.zeros((1, 5)),
        np.zeros((3, 6)),
        np.zeros((0, 6)),
        np.full((1, 6), np.nan),
        np.zeros(6),
        np.eye(6, dtype=int),
    ],
    ids=["none", "of other samples", "too many", "empty", "not finite", "a vector", "integers"],
)
def test_a_basis_that_cannot_be_one_is_not_believed(found):
    with pytest.raises(FrameError):
        translation.basis(frames.with_arrays("prepared", {"basis": found}), n=2, d=6)


def test_progress_is_read_with_the_chunks_own_total():
    fields = {"samples_done": 1, "fraction": 0.5, "queries": 10, "gradients": 0}
    assert translation.progress(Frame("progress", fields), samples_total=3).samples_total == 3
    with pytest.raises(FrameError):
        translation.progress(Frame("progress", {**fields, "state": "succeeded"}), samples_total=3)
