"""What each attack added to the others, counted by hand."""

from algorithms.seam.claims import Kind
from audits.document.report import Contribution
from audits.evidence.contributions import contributions
from tests.jobs_for_tests import finding
from tests.unit.audits.test_hints import evidence, found, proved


def test_an_attack_adds_where_its_point_is_the_nearest():
    told = contributions(
        (
            evidence("noise", found(0, 4.0), found(1, 2.0)),
            evidence("pgd", found(0, 2.0), found(1, 2.0), found(2, 1.0)),
            evidence("square", found(0, 3.0), found(1, 2.5), finding(2, Kind.ABSTAINED)),
        )
    )
    assert told == (
        Contribution(method="noise", found=2, nearest=1, alone=0, next_best=1.0),
        Contribution(method="pgd", found=3, nearest=2, alone=1, next_best=1.5),
        Contribution(method="square", found=2, nearest=0, alone=0, next_best=None),
    )


def test_only_attacks_are_told_of_and_a_sample_that_was_wrong_already_counts_for_none():
    told = contributions((evidence("clever", proved(0, 0.5)), evidence("pgd", finding(0, Kind.MISCLASSIFIED))))
    assert told == (Contribution(method="pgd", found=0, nearest=0, alone=0, next_best=None),)
