"""What a terminal says of a rule that an alarm holds back, and of one that passes on somebody's word."""

from brinell.printing.verdict_lines import print_verdict
from tests.reports_for_tests import report

WAIVER = {"alarm": "no_white_box", "reason": "three bits.", "by": "A. Engineer", "until": "2027-03-31"}


def rule(**change):
    return report().rules[1].model_dump(mode="json") | change


def test_a_pass_that_is_held_back_says_why(capsys):
    print_verdict("inconclusive", [rule(verdict="inconclusive", detail="The alarm no_white_box holds it back.")])
    assert "The alarm no_white_box holds it back." in capsys.readouterr().out


def test_a_pass_on_somebodys_word_says_whose(capsys):
    print_verdict("pass", [rule(verdict="pass", detail="", waived_alarms=[WAIVER])])
    said = "The alarm no_white_box is waived by A. Engineer until 2027-03-31: three bits."
    assert said in " ".join(capsys.readouterr().out.split())
