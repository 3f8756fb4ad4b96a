"""What a job or an audit was admitted with: kept once, whole for whoever computes it."""

import json
from typing import Any

import pytest
import redis

from algorithms.errors import NotFound
from audits.asking.admission import AuditPlan
from audits.asking.admission import admit as admit_audit
from audits.asking.request import AuditRequest
from audits.store import Audits
from jobs.store.store import Store
from models.cards import ModelCard, SamplesCard
from tests.jobs_for_tests import FOUND, Upload, commit_all, ready_card, samples_card, taken
from tests.jobs_for_tests import spec as spec_of


def test_a_lease_brings_the_spec_as_it_was_admitted(store: Store, upload: Upload) -> None:
    admitted = upload.spec(samples={"indices": [3, 1]}, seed=7)
    job = store.jobs.create("lab", admitted)
    assert taken(store, job.id).spec == admitted == store.jobs.spec("lab", job.id)


def test_an_audit_is_read_as_it_was_admitted(upload: Upload, audits: Audits) -> None:
    plan = upload.plan(recipe=[{"name": "pgd"}, {"name": "nearest_neighbor"}])
    audit = audits.create("lab", plan)
    assert audits.spec("lab", audit.id) == plan.spec
    assert [skip.method for skip in plan.spec.skipped] == ["nearest_neighbor"]


def test_cards_and_requests_are_kept_once(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    job, audit = upload.job(), upload.audit()
    job_spec = json.loads(server.hget(f"{{brinell}}:t:lab:job:{job}", "spec") or "")
    audit_spec = json.loads(server.hget(f"{{brinell}}:t:lab:audit:{audit}", "spec") or "")
    for spec in (job_spec, audit_spec):
        assert "threat" in spec
        assert not {"indices", "request", "model", "samples", "auxiliary", "skipped"} & set(spec)


@pytest.mark.parametrize("selection", [{"indices": [3, 1, 8]}, {"limit": 4}, {}, {"limit": 500}], ids=str)
def test_rows_are_read_as_they_were_selected_whoever_names_them(
    store: Store, upload: Upload, audits: Audits, selection: dict[str, Any]
) -> None:
    asked = {"samples": selection} if selection else {}
    spec, plan = upload.spec(**asked), upload.plan(**asked)
    job, audit = store.jobs.create("lab", spec), audits.create("lab", plan)
    assert store.jobs.spec("lab", job.id).indices == spec.indices
    assert audits.spec("lab", audit.id).indices == plan.spec.indices
    lease = taken(store, job.id)
    assert lease.spec == spec
    store.leases.release(lease)
    commit_all(store, job.id)
    assert [finding.index for finding in store.findings.page("lab", job.id).items] == list(spec.indices)
    assert store.findings.get("lab", job.id, spec.indices[-1]).index == spec.indices[-1]


def test_what_a_job_takes_in_redis_does_not_grow_with_its_model_or_its_samples(
    store: Store, server: "redis.Redis[str]"
) -> None:
    """A short request costs a few KiB, whatever is written on the cards and however many rows it means."""
    names = tuple(f"a class of a long name, number {number}" for number in range(4000))
    output = FOUND.output.model_copy(update={"classes": len(names)})
    model, samples = ready_card(classes_named=names, output=output), samples_card(count=100_000, labelled=False)
    store.samples.add("lab", samples)
    store.models.add("lab", model)
    assert len(model.model_dump_json()) > 100_000
    before, counted = taken_by(server), store.usage.of("lab").record_bytes.used
    job = store.jobs.create("lab", spec_of(model, samples, chunk_size=1000))
    Audits(store).create("lab", plan_of(model, samples))
    assert store.jobs.get("lab", job.id).progress.samples_total == 100_000
    assert taken_by(server) - before < 40_000, "of a job, and of an audit of two jobs"
    assert store.usage.of("lab").record_bytes.used - counted < 10_000


def taken_by(server: "redis.Redis[str]") -> int:
    return sum(server.memory_usage(name, samples=0) or 0 for name in server.scan_iter("{brinell}:*"))


def plan_of(model: ModelCard, samples: SamplesCard) -> AuditPlan:
    body = {"model_id": model.id, "samples_id": samples.id, "recipe": [{"name": "pgd"}, {"name": "clever"}]}
    return admit_audit(AuditRequest.model_validate(body), model, samples)


def test_the_shape_of_a_sample_outlives_the_samples(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    commit_all(store, job_id)
    store.samples.remove("lab", upload.samples.id)
    assert store.jobs.shape("lab", job_id) == upload.samples.shape
    with pytest.raises(NotFound):
        store.jobs.spec("lab", job_id)
