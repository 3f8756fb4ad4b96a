"""Numbers in words stay true: bounds are rounded to their safe side."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.document.report import Alarm
from audits.document.verdict import Waiver
from audits.renderings import words
from audits.renderings.render import render
from jobs.summary import Interval
from tests.reports_for_tests import report

POSITIVE = st.floats(1e-9, 1e9, allow_nan=False, allow_infinity=False)


@given(POSITIVE)
def test_a_printed_bound_is_never_better_than_the_bound(value):
    assert float(words.at_least(value)) <= value <= float(words.at_most(value))


@given(POSITIVE)
def test_a_printed_number_is_near(value):
    assert float(words.number(value)) == pytest.approx(value, rel=0.006)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_printed_interval_is_never_narrower(one, other):
    low, high = sorted((one, other))
    shown = words.span(Interval(value=low, low=low, high=high)).removesuffix("\u202f%").split("–")
    assert float(shown[0]) / 100 <= low + 1e-9
    assert float(shown[1]) / 100 >= high - 1e-9


@pytest.mark.parametrize(
    ("value", "down", "near", "up"),
    [
        (None, "–", "–", "–"),
        (0.0, "0", "0", "0"),
        (0.31449, "0.314", "0.314", "0.315"),
        (0.96, "0.960", "0.96", "0.960"),
        (1234.5, "1234", "1234", "1235"),
        (1e-7, "1.00e-7", "1.00e-7", "1.00e-7"),
        (float("inf"), "∞", "∞", "∞"),
    ],
)
def test_three_digits_are_shown(value, down, near, up):
    assert (words.at_least(value), words.number(value), words.at_most(value)) == (down, near, up)


@pytest.mark.parametrize(("count", "told"), [(5.0, "5"), (1234.0, "1234"), (0.0, "0"), (4.5, "4.50")])
def test_counts_of_changes_are_whole_numbers(count, told):
    assert words.at_least(count) == words.at_most(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.5, "0.5 s"), (61.5, "1 min 2 s"), (59.99, "1 min 0 s"), (7300, "2 h 1 min")]
)
def test_durations_are_told_in_their_largest_units(seconds, told):
    assert words.duration(seconds) == told


def test_what_cannot_be_seen_is_made_visible():
    assert words.plain("a\u202eb\x00c\ufffe\ud800 ü") == "a�b�c�� ü"


@pytest.mark.parametrize(
    ("n", "kind", "said"),
    [
        (20, "upper_bound", "20 upper bounds"),
        (1, "lower_bound", "1 lower bound"),
        (2, "estimate", "2 estimates"),
        (3, "misclassified", "3 misclassified"),
    ],
)
def test_findings_are_counted_in_words(n, kind, said):
    assert words.counted(n, kind) == said


@pytest.mark.parametrize("text", ["It crashed", "It crashed."])
def test_a_sentence_from_elsewhere_ends_with_one_full_stop(text):
    assert words.closed(text) == "It crashed."


MASK = Alarm(
    code="no_white_box", severity="warning", count=3, samples=3, examples=(0,), explanation="Why.",
    consequence="So.", holds_back=True,
)  # fmt: skip
WAIVER = Waiver(alarm="no_white_box", reason="three bits", by="A. Engineer", until=date(2027, 3, 31))


def of_robust(**change):
    """A report whose rule `robust` passes by silence, but for these changes."""
    rule = report().rules[1].model_copy(update={"verdict": "pass", "detail": "", **change})
    return report(rules=(rule,), alarms=(MASK,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"verdict": "inconclusive", "held_back_by": ("no_white_box",)},
            "It holds back 1 rule that would pass: robust.",
        ),
        ({"waived_alarms": (WAIVER,)}, "It holds nothing back: waived by A. Engineer until 2027-03-31: three bits."),
        ({"verdict": "fail"}, "No rule passes by what it doubts."),
    ],
)
def test_an_alarm_of_masking_says_what_it_does_to_the_policy_in_every_form(change, said):
    document = of_robust(**change)
    assert words.holding(document, MASK) == said
    assert said in render(document, "html").decode() and said in render(document, "markdown").decode()


def test_an_alarm_that_holds_nothing_back_says_nothing_of_the_policy():
    assert words.holding(of_robust(), MASK.model_copy(update={"holds_back": False})) == ""
    assert words.holding(report(rules=(), alarms=(MASK,)), MASK) == ""


def test_a_pass_on_somebodys_word_says_whose():
    document = of_robust(waived_alarms=(WAIVER,))
    said = "The alarm no_white_box is waived by A. Engineer until 2027-03-31: three bits."
    assert words.remark(document.rules[0]) == said
    assert said in render(document, "html").decode() and "alarm waived" in render(document, "html").decode()
    assert '"waived_alarms" value="no_white_box"' in render(document, "junit").decode()
