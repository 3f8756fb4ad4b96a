"""What is a policy, and what is refused before anything runs."""

import pytest
from pydantic import ValidationError

from algorithms.errors import Refused
from audits.policy.policy import Policy, check, from_text
from audits.policy.text import MAX_CHARACTERS, MAX_DEPTH

YAML = """
rules:
  - {name: accurate, metric: clean_accuracy, at_least: 0.95, confidence: 0.95}
  - {name: robust, metric: certified_accuracy, at: 0.3, at_least: 0.5, severity: warn}
waivers:
  - {rule: robust, reason: known, by: A, until: 2027-01-31}
"""


def test_yaml_and_json_are_read_alike():
    policy = from_text(YAML)
    assert policy.waivers[0].until.year == 2027
    assert from_text(policy.model_dump_json()) == policy


RULE = '{"name": "a", "metric": "clean_accuracy", "at_least": 1e-3}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"rules": [{RULE}]}}',
        f'\ufeff{{\n\t"rules": [\n\t\t{RULE}\n\t]\n}}',
        "rules:\n  - {name: a, metric: clean_accuracy, at_least: 1e-3}",
        "rules:\n  - {name: a, metric: clean_accuracy, at_least: +1.0E-3}",
    ],
    ids=["json", "tabs", "yaml", "yaml with a sign"],
)
def test_a_small_number_is_a_number_in_either_language(text):
    assert from_text(text).rules[0].at_least == 0.001


def test_words_that_an_older_yaml_takes_for_truth_are_words():
    policy = from_text(
        "rules: [{name: on, metric: clean_accuracy, at_least: .5}]\nwaivers: [{rule: on, reason: no, by: y}]"
    )
    assert (policy.rules[0].name, policy.waivers[0].reason, policy.waivers[0].by) == ("on", "no", "y")


def test_a_character_beyond_the_first_plane_is_read_from_its_two_halves():
    rule = RULE.replace('"a"', r'"\ud83d\ude00"')
    assert from_text(f'{{"rules": [{rule}]}}').rules[0].name == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{{"rules": [{RULE}, {{"name": "b", "at_least": 0.9, "at_least": 0.1}}]}}', "'at_least' stands twice"),
        ("rules:\n  - {name: a, at_least: 0.9, at_least: 0.1}", "stands twice in one place, at line 2"),
        (RULE.replace("1e-3", "NaN"), "NaN"),
        ('{\n\t"rules": [\n\t\t{"name": "a"\n\t\t "metric": "clean_accuracy"}]}', "at line 4"),
    ],
    ids=["json", "yaml", "nan", "a missing comma"],
)
def test_what_could_be_read_in_two_ways_is_refused_with_its_place(text, said):
    with pytest.raises(Refused, match=said):
        from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "rules: [",
        "- just a list",
        "rules: !!python/object/apply:os.system [ls]",
        "rules: &a [*a]",
        "rules: !!bool word",
        "rules: !!int ''",
        "%YAML 1.1\n---\nrules: []",
        "a: &a [1]\nrules: *a",
        "[" * (MAX_DEPTH + 1),
        "[" * 5000,
        "[" * 30_000 + "]" * 30_000,
        "x" * (MAX_CHARACTERS + 1),
        "rules: []\nwaivers: [{rule: a, until: 2026-02-31}]",
        "\x00",
        "",
    ],
    ids=[
        "open",
        "list",
        "object",
        "loop",
        "no bool",
        "no int",
        "version",
        "alias",
        "deep",
        "very deep",
        "deep JSON",
        "long",
        "date",
        "zero",
        "empty",
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(Refused):
        from_text(text)


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "beauty", "at_least": 1},
        {"metric": "clean_accuracy"},
        {"metric": "clean_accuracy", "at_least": 0.5, "at_most": 0.6},
        {"metric": "clean_accuracy", "at_least": 0.5, "at_most": 0.6, "max_drop_from_baseline": 0.1},
        {"metric": "clever_median", "at_least": 0.5, "max_drop_from_baseline": 0.1},
        {"metric": "clean_accuracy", "at_least": 0.5, "at": 0.1},
        {"metric": "median_upper_bound", "max_drop_from_baseline": 0.1},
        {"metric": "clean_accuracy", "at_least": True},
        {"metric": "clean_accuracy", "at_least": 95},
        {"metric": "attack_success_rate", "at_most": -0.1},
        {"metric": "clean_accuracy", "at_least": 0.5, "confidence": 1.0},
        {"metric": "clean_accuracy", "at_least": 0.5, "colour": "red"},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule):
    with pytest.raises(ValidationError):
        Policy.model_validate({"rules": [{"name": "a"} | rule]})


@pytest.mark.parametrize("blank", [{"by": ""}, {"reason": " \n"}])
def test_whoever_waives_says_who_and_why(blank):
    rules = [{"name": "a", "metric": "clean_accuracy", "at_least": 0.5}]
    with pytest.raises(ValidationError, match="waivers"):
        Policy.model_validate({"rules": rules, "waivers": [{"rule": "a", "reason": "r", "by": "A"} | blank]})


def test_names_are_unique_and_waivers_name_one():
    rule = {"name": "a", "metric": "clean_accuracy", "at_least": 0.5}
    with pytest.raises(ValidationError, match="name of its own"):
        Policy.model_validate({"rules": [rule, rule]})
    with pytest.raises(ValidationError, match="waiver"):
        Policy.model_validate({"rules": [rule], "waivers": [{"rule": "b", "reason": "r", "by": "A"}]})


ALARM_WAIVER = {"alarm": "no_white_box", "reason": "r", "by": "A"}


def test_a_waiver_may_name_an_alarm_that_holds_passes_back():
    rules = [{"name": "a", "metric": "clean_accuracy", "at_least": 0.5}]
    (waiver,) = Policy.model_validate({"rules": rules, "waivers": [ALARM_WAIVER]}).waivers
    assert (waiver.rule, waiver.alarm) == (None, "no_white_box")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rule": "a"}, "exactly one of rule and alarm"),
        ({"alarm": None}, "exactly one of rule and alarm"),
        ({"alarm": "masked_gradient"}, "those that do: masked_gradients, saturated_scores, black_box_beats"),
        ({"alarm": "lower_above_upper"}, "holds no pass back"),
        ({"alarm": "no_white_box", "unless": "x"}, "Extra inputs"),
    ],
)
def test_a_waiver_names_one_thing_and_an_alarm_that_there_is(change, said):
    rules = [{"name": "a", "metric": "clean_accuracy", "at_least": 0.5}]
    with pytest.raises(ValidationError, match=said):
        Policy.model_validate({"rules": rules, "waivers": [ALARM_WAIVER | change]})


@pytest.mark.parametrize(
    ("rule", "epsilon", "pointer"),
    [
        ({"metric": "certified_accuracy", "at_least": 0.5}, None, "/policy/rules/0"),
        ({"metric": "certified_accuracy", "at_least": 0.5, "at": 0.6}, 0.5, "/policy/rules/0/at"),
    ],
)
def test_a_policy_asks_only_for_what_the_audit_looks_for(rule, epsilon, pointer):
    with pytest.raises(Refused) as refused:
        check(Policy.model_validate({"rules": [{"name": "a"} | rule]}), epsilon=epsilon)
    assert refused.value.pointer == pointer


def test_a_success_rate_needs_no_radius():
    policy = Policy.model_validate({"rules": [{"name": "a", "metric": "attack_success_rate", "at_most": 0.5}]})
    check(policy, epsilon=None)
