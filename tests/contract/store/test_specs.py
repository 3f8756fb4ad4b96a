"""What a job or an audit was admitted with: kept once, whole for whoever computes it."""

import json

import pytest
import redis

from algorithms.errors import NotFound
from audits.store import Audits
from jobs.store.store import Store
from tests.jobs_for_tests import Upload, commit_all, taken


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
        assert "indices" in spec and not {"request", "model", "samples", "auxiliary", "skipped"} & set(spec)


def test_the_shape_of_a_sample_outlives_the_samples(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    commit_all(store, job_id)
    store.samples.remove("lab", upload.samples.id)
    assert store.jobs.shape("lab", job_id) == upload.samples.shape
    with pytest.raises(NotFound):
        store.jobs.spec("lab", job_id)
