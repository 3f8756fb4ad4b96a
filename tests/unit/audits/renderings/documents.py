"""The reports that every rendering must be able to show."""

from audits.document import earlier
from audits.document.report import EnvelopePoint, Report
from audits.document.rows import SampleRow
from jobs.summary import QueryCount
from models.cards import Endpoint, EndpointInput, EndpointOutput, Limits
from tests.reports_for_tests import report

HOSTILE = "<script>alert(1)</script> | `x` [y](https://evil.example) www.evil.example @all \u202e\x00\ufffe\n# \"' &lt;"


def without_certificates() -> Report:
    document = report()
    unproven = {"lower": None, "lower_by": None, "lower_confidence": None, "alarms": ()}
    summary = dict.fromkeys(("certified_accuracy", "median_lower_bound", "median_lower_interval", "closure"))
    estimates = {"clever": document.summary.estimates["clever"]}
    summary |= {"estimates": estimates} | earlier.spreads(estimates)
    return document.model_copy(
        update={
            "samples": tuple(
                _but(_unsmoothed(row), unproven) if row.label == row.predicted else row for row in document.samples
            ),
            "envelope": tuple(EnvelopePoint.model_validate(dict(p) | {"certified": None}) for p in document.envelope),
            "summary": document.summary.model_copy(update=summary),
            "alarms": (),
        }
    )


def without_attacks() -> Report:
    document = report()
    unbroken = {"upper": None, "upper_by": None, "alarms": ()}
    summary = dict.fromkeys(
        ("empirical_robust_accuracy", "attack_success_rate", "median_upper_bound", "median_upper_interval")
    )
    return document.model_copy(
        update={
            "samples": tuple(_but(row, unbroken) if row.label == row.predicted else row for row in document.samples),
            "envelope": tuple(EnvelopePoint.model_validate(dict(p) | {"empirical": None}) for p in document.envelope),
            "summary": document.summary.model_copy(update=summary | {"closure": None}),
            "efforts": (),
            "gallery": None,
        }
    )


def without_anything() -> Report:
    """Every job failed, and nobody gave labels, an epsilon or a policy."""
    document = report(1)
    nothing = dict.fromkeys(document.summary.model_dump(exclude={"samples", "labels", "clever_samples"}))
    empty = nothing | {"labels": "predicted", "queries": 0, "gradients": 0, "seconds": 0.0}
    empty |= {"alarms": {}, "clever_statuses": {}, "estimates": {}}
    return document.model_copy(
        update={
            "verdict": None,
            "summary": document.summary.model_copy(update=empty),
            "threat": document.threat.model_copy(update={"epsilon": None, "box": None}),
            "settings": document.settings.model_copy(update={"policy": None}),
            "digests": document.digests.model_copy(update={"policy": None}),
            **dict.fromkeys(
                ("rules", "waivers", "envelope", "alarms", "efforts", "comparisons", "jobs", "samples"), ()
            ),
            "gallery": None,
        }
    )


def of_a_stranger() -> Report:
    """Whoever named things here meant harm."""
    document = report()
    rule = document.rules[3]
    assert rule.waiver is not None
    waiver = rule.waiver.model_copy(update={"reason": HOSTILE, "by": HOSTILE})
    comparison = document.comparisons[0].model_copy(update={"baseline_model": HOSTILE})
    return document.model_copy(
        update={
            "model": document.model.model_copy(update={"name": HOSTILE, "classes_named": (HOSTILE,) * 10}),
            "data": document.data.model_copy(update={"card": document.data.card.model_copy(update={"name": HOSTILE})}),
            "rules": (rule.model_copy(update={"name": HOSTILE, "waiver": waiver}), *document.rules[:2]),
            "waivers": (waiver,),
            "comparisons": (comparison,),
            "settings": document.settings.model_copy(update={"policy": {"rules": [{"name": HOSTILE}]}}),
        }
    )


def of_an_endpoint() -> Report:
    document = report()
    served = Endpoint(
        url="https://model.example/score",
        origin="https://model.example",
        protocol="generic_json",
        options={},
        input=EndpointInput(shape=(64,)),
        output=EndpointOutput(kind="logits", classes=10),
        limits=Limits(),
    )
    jobs = [job.model_copy(update={"started_at": document.generated_at}) for job in document.jobs]
    queries = QueryCount(total=100, mean=5.0, median=5.0, max=9, http_calls=1234)
    jobs[0] = jobs[0].model_copy(update={"finished_at": document.generated_at, "queries": queries})
    model = document.model.model_copy(update={"kind": "endpoint", "endpoint": served})
    return document.model_copy(update={"model": model, "jobs": tuple(jobs)})


def _unsmoothed(row: SampleRow) -> SampleRow:
    estimates = {name: told for name, told in row.estimates.items() if name != "smoothing"}
    return _but(row, {"estimates": estimates} | earlier.columns(estimates))


def _but(row: SampleRow, changes: dict[str, object]) -> SampleRow:
    return row.model_copy(update=changes)


DOCUMENTS = {
    "twenty samples": report(),
    "five hundred": report(500),
    "one sample": report(1, alarms=(), gallery=None),
    "tabular": report(image=False),
    "no certificates": without_certificates(),
    "no attacks": without_attacks(),
    "no policy": report(verdict=None, rules=(), waivers=()),
    "no epsilon": report(threat=report().threat.model_copy(update={"epsilon": None})),
    "nothing": without_anything(),
    "a stranger's": of_a_stranger(),
    "an endpoint's": of_an_endpoint(),
}
