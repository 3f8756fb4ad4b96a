"""An audit of the bundled model through HTTP, and one whose worker is shot in the middle."""

from pathlib import Path

import httpx2
import pytest

from audits.asking.admission import admit
from audits.asking.request import AuditRequest
from audits.document.report import Report
from audits.store import Audits
from jobs.states import TERMINAL
from tests.e2e.machine import TENANT, Machine
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
BYTES = {"Content-Type": "application/octet-stream"}
POLICY = """
rules:
  - {name: accurate, metric: clean_accuracy, at_least: 0.5, confidence: 0.95}
  - {name: not broken at once, metric: empirical_robust_accuracy, at: 0.05, at_least: 0.5}
  - {name: unbreakable, metric: robust_accuracy, at: 5, at_least: 0.9, severity: warn}
"""


def _ended(client, audit_id):
    """None while it runs."""
    audit = client.get(f"/v1/audits/{audit_id}", headers={"Prefer": "wait=10"}).json()
    return audit if audit["state"] in TERMINAL else None


@pytest.fixture(scope="module")
def audited(installation):
    """The ended audit, its verdict and its report."""
    key = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=key, timeout=PATIENCE_SECONDS) as client:
        model = client.post(
            "/v1/models?name=digits",
            content=(DIGITS / "model.onnx").read_bytes(),
            headers=BYTES | {"Prefer": "wait=60"},
        ).json()
        samples = client.post("/v1/samples", content=(DIGITS / "samples.npz").read_bytes(), headers=BYTES).json()
        clever = {"name": "clever", "batches": 20, "batch_size": 64}
        recipe = [{"name": "noise", "points": 64}, {"name": "pgd", "steps": 10}, clever]
        audit = client.post(
            "/v1/audits",
            json={
                "model_id": model["id"],
                "samples_id": samples["id"],
                "recipe": [*recipe, {"name": "nearest_neighbor"}],
                "policy": POLICY,
                "samples": {"limit": 6},
            },
        ).json()
        audit = until(lambda: _ended(client, audit["id"]), what="the end of the audit")
        verdict = client.get(f"/v1/audits/{audit['id']}/verdict").json()
        report = Report.model_validate_json(client.get(f"/v1/audits/{audit['id']}/report").content)
    return audit, verdict, report


def test_an_audit_ends_with_a_verdict_and_a_report(audited):
    audit, verdict, report = audited
    assert (audit["state"], audit["report_ready"], audit["progress"]["fraction"]) == ("succeeded", True, 1)
    assert [rule["verdict"] for rule in verdict["rules"]] == ["pass", "pass", "warn"]
    assert audit["verdict"] == verdict["verdict"] == report.verdict == "pass"
    assert [skip["method"] for skip in audit["skipped"]] == ["nearest_neighbor"]
    assert {job.isolation for job in report.jobs} == {"strict"}


def test_every_sample_has_a_bracket_whose_end_its_method_found(audited):
    report = audited[2]
    assert [row.index for row in report.samples] == list(range(6))
    for row in report.samples:
        assert row.upper is not None and row.upper_by in {"pgd", "noise"}
        assert row.upper == min(result.value for name, result in row.methods.items() if name != "clever")
        assert row.clever is not None and row.clever_interval is not None
    assert not {alarm.code for alarm in report.alarms} & {"lower_above_upper", "model_not_deterministic"}


def test_the_gallery_shows_the_nearest_points(audited):
    gallery = audited[2].gallery
    assert gallery.kind == "image" and len(gallery.pictures) == 6
    for picture in gallery.pictures:
        change = sum((a - b) ** 2 for a, b in zip(picture.original, picture.adversarial, strict=True)) ** 0.5
        assert change == pytest.approx(picture.distance, abs=0.01)


@pytest.fixture(scope="module")
def machine(valkey_url, tmp_path_factory):
    here = Machine(valkey_url, tmp_path_factory.mktemp("audits"))
    yield here
    here.stop()


def test_an_audit_survives_the_death_of_its_worker(machine):
    worker = machine.worker()
    model, samples = machine.upload_model(), machine.upload_samples()
    recipe = [{"name": "noise", "points": 200}, {"name": "square", "steps": 200}]
    body = {"model_id": model.id, "samples_id": samples.id, "recipe": recipe, "samples": {"limit": 50}}
    plan = admit(AuditRequest.model_validate(body), model, samples)
    audits = Audits(machine.store)
    audit = audits.create(TENANT, plan)
    until(lambda: audits.get(TENANT, audit.id).progress.queries > 100, what="an audit under way")
    worker.kill()
    machine.worker()
    until(lambda: audits.get(TENANT, audit.id).state in TERMINAL, what="the end of the audit")
    ended = audits.get(TENANT, audit.id)
    assert (ended.state, ended.report_ready) == ("succeeded", True)
    report = Report.model_validate_json(machine.library.get(audits.report_forms(TENANT, audit.id)["json"]))
    assert len(report.samples) == 50 and {job.state for job in report.jobs} == {"succeeded"}


def test_a_later_phase_begins_where_the_first_ended_and_is_the_same_each_time(machine):
    """Two audits by a recipe of three phases, each worker taking what it gets: the same hints and the same findings."""
    machine.worker()
    model, samples = machine.upload_model(), machine.upload_samples()
    body = {"model_id": model.id, "samples_id": samples.id, "recipe": "quick-2", "samples": {"limit": 2}, "seed": 5}
    plan = admit(AuditRequest.model_validate(body), model, samples)
    audits = Audits(machine.store)
    both = [audits.create(TENANT, plan).id for _ in range(2)]
    for audit in both:
        until(lambda audit=audit: audits.get(TENANT, audit).state in TERMINAL, what="the end of an audit")
    ended = [audits.get(TENANT, audit) for audit in both]
    assert [(audit.state, audit.draft, audit.progress.fraction) for audit in ended] == [("succeeded", True, 1)] * 2
    of_each = [{job.method: job.job_id for job in audit.jobs} for audit in ended]
    assert len(of_each[0]) == plan.planned and set(of_each[0]) == set(of_each[1])
    hints = [machine.store.jobs.get(TENANT, jobs["pgd"]).hints for jobs in of_each]
    assert hints[0] == hints[1] and hints[0].points > 0
    for method in of_each[0]:
        one, other = (machine.store.findings.page(TENANT, jobs[method]).items for jobs in of_each)
        assert one == other
    report = Report.model_validate_json(machine.library.get(audits.report_forms(TENANT, both[0])["json"]))
    assert report.settings.draft and {job.method for job in report.jobs if job.hints} == {"pgd", "crown", "fmn"}
