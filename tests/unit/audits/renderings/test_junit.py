"""What a pipeline makes of a verdict: red exactly when the policy did not pass."""

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from junitparser.xunit2 import JUnitXml as XUnit2

from audits.renderings.junit import render
from tests.reports_for_tests import report
from tests.unit.audits.renderings.documents import DOCUMENTS, of_a_stranger


def cases(document):
    (suite,) = JUnitXml.fromstring(render(document).encode())
    return {case.name: [type(result) for result in case.result] for case in suite}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_parses_and_is_red_exactly_when_the_verdict_is(name):
    document = DOCUMENTS[name]
    parsed = JUnitXml.fromstring(render(document).encode())
    assert (parsed.failures + parsed.errors > 0) == (document.verdict in ("fail", "inconclusive"))


def test_each_rule_is_a_case_of_its_kind():
    assert cases(report()) == {
        "clean": [],
        "robust": [Failure],
        "truth": [Error],
        "certified": [Skipped],  # waived
        "clever": [Skipped],  # an estimate
        "no worse than before": [],
    }


def test_without_a_policy_one_case_says_that_the_audit_ended():
    assert cases(DOCUMENTS["no policy"]) == {"audit ended": []}


def test_a_policy_of_estimates_alone_is_an_error_of_the_whole():
    only = report(verdict="inconclusive", rules=report().rules[4:5])
    assert cases(only) == {"clever": [Skipped], "verdict": [Error]}


def test_a_rule_that_only_warns_is_never_red():
    rules = tuple(rule.model_copy(update={"severity": "warn"}) for rule in report().rules[:3])
    assert cases(report(verdict="pass", rules=rules)) == {"clean": [], "robust": [Skipped], "truth": [Skipped]}


def test_numbers_are_properties():
    (suite,) = XUnit2.fromstring(render(report()).encode())
    robust = next(case for case in suite if case.name == "robust")
    told = {prop.name: prop.value for prop in robust.properties()}
    assert (told["metric"], told["observed"], told["at_least"]) == ("empirical_robust_accuracy", "0.9", "0.98")


def test_a_rule_that_is_not_met_says_so_and_what_was_observed():
    (suite,) = JUnitXml.fromstring(render(report()).encode())
    told = {case.name: case.result[0].message for case in suite if case.result}
    assert told["robust"].startswith("Not met: empirical robust accuracy within")
    assert "at least 98\u202f%" in told["robust"] and "observed 90\u202f% (" in told["robust"]
    assert told["truth"].startswith("Not decided: ")
    assert not any(".." in message for message in told.values())


def test_a_hostile_name_is_text():
    names = list(cases(of_a_stranger()))
    assert names[0].startswith("<script>alert(1)</script>")
    assert "\x00" not in render(of_a_stranger())
