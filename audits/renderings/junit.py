"""The report as JUnit XML, which every pipeline knows how to show: one test case a rule of the policy.

Not met is a failure, not decided an error. A rule that stops nobody (waived, an estimate, a mere warning) is skipped
unless it passed, so that a file without failures and errors is a policy that was met.
"""

from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from junitparser.xunit2 import TestCase

from audits.document.report import Report
from audits.document.verdict import RuleOutcome
from audits.renderings.outline import headline
from audits.renderings.words import outcome, plain, remark


def render(report: Report) -> str:
    suite = TestSuite(plain(f"brinell {report.model.name or report.model.id}"))
    suite.timestamp = report.generated_at.isoformat()
    for name, value in _identity(report).items():
        suite.add_property(name, plain(value))
    for case in _cases(report):
        suite.add_testcase(case)
    document = JUnitXml("brinell")
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    content: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{content.decode()}\n'


def _identity(report: Report) -> dict[str, str]:
    return {
        "audit_id": report.audit_id,
        "verdict": report.verdict or "none",
        "recipe": report.settings.recipe,
        "norm": report.threat.norm,
        "epsilon": _value(report.threat.epsilon),
        "samples": str(report.summary.samples),
        "model_sha256": report.digests.model,
        "samples_sha256": report.digests.samples,
    }


def _cases(report: Report) -> Iterator[TestCase]:
    if report.verdict is None:
        yield TestCase("audit ended", "brinell")
        return
    cases = [_case(rule) for rule in report.rules]
    yield from cases
    if report.verdict == "inconclusive" and not any(case.is_error for case in cases):
        undecided = TestCase("verdict", "brinell.policy")
        undecided.result = [Error(headline(report), "inconclusive")]
        yield undecided


def _case(rule: RuleOutcome) -> TestCase:
    case = TestCase(plain(rule.name), "brinell.policy")
    for name, value in _numbers(rule).items():
        case.add_property(name, value)
    told = plain(" ".join(filter(None, [outcome(rule), remark(rule)])))
    if rule.verdict == "pass":
        return case
    if rule.waiver or rule.severity == "warn" or rule.evidence == "estimate":
        case.result = [Skipped(told, "waived" if rule.waiver else rule.verdict)]
    elif rule.verdict == "fail":
        case.result = [Failure(told, rule.evidence)]
    else:
        case.result = [Error(told, rule.verdict)]
    return case


def _numbers(rule: RuleOutcome) -> dict[str, str]:
    shown = rule.model_dump(exclude={"name", "detail", "waiver", "held_back_by", "waived_alarms"}, exclude_none=True)
    alarms = {"held_back_by": rule.held_back_by, "waived_alarms": [waiver.alarm for waiver in rule.waived_alarms]}
    return {name: _value(value) for name, value in shown.items()} | {
        name: " ".join(filter(None, codes)) for name, codes in alarms.items() if codes
    }


def _value(value: object) -> str:
    return "none" if value is None else str(value)
