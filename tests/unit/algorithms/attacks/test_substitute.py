"""What a substitute asks about: how many rows, which ones, and what answers to them teach."""

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.attacks.substitute.answers import FLOOR, below_largest, taught
from algorithms.attacks.substitute.attack import METHOD, SubstituteParams, rounds, wants
from algorithms.attacks.substitute.choosing import augmented, certainty, chosen, unseen
from algorithms.seam.labeling import NO_CLASS
from algorithms.threats.threat import Box, Threat


def test_the_plain_method_doubles_what_is_known_in_each_round() -> None:
    """Papernot et al. 2017, algorithm 1: S is joined by one new row for each of its rows."""
    params = SubstituteParams(selection="all", seed_rows=150, held_out=10, rounds=5, oracle_queries=20_000)
    assert rounds(params) == (160, 150, 300, 600, 1200, 2400)


def test_a_share_of_one_asks_as_the_plain_method_does() -> None:
    active, plain = (SubstituteParams(selection=word, share=1.0) for word in ("active", "all"))
    assert rounds(active) == rounds(plain)


def test_no_more_rows_are_planned_than_are_allowed() -> None:
    params = SubstituteParams(seed_rows=100, held_out=50, oracle_queries=185, share=0.2)
    assert rounds(params) == (150, 20, 15)
    assert wants(params).most == 185


def test_fewer_queries_than_the_first_rows_take_are_refused() -> None:
    with pytest.raises(ValidationError, match="seed_rows"):
        SubstituteParams(seed_rows=100, held_out=100, oracle_queries=199)


def test_too_few_auxiliary_samples_are_told_with_a_way_out() -> None:
    wanted = wants(SubstituteParams(seed_rows=5, held_out=4))
    assert wanted.misfit((2,), 9) is None
    assert "9 auxiliary samples" in str(wanted.misfit((2,), 8))


def test_a_sample_costs_no_more_than_the_rows_that_are_tried_of_it() -> None:
    assert METHOD.minimum(SubstituteParams(), Threat()).queries == 3


def test_rows_are_moved_by_the_signs_of_their_slopes_and_stay_valid() -> None:
    """x + lambda sgn(J): Papernot et al. 2017, eq. 5, with lambda a share of the box's width."""
    rows = np.array([[0.0, 0.5, 0.95]], np.float32)
    slopes = np.array([[-3.0, 0.0, 1e-9]], np.float32)
    assert augmented(rows, slopes, Threat(), 0.1) == pytest.approx(np.array([[0.0, 0.5, 1.0]]))
    wide = Threat(box=Box(np.float32([0, 0, 0]), np.float32([1, 10, 100])))
    moved = augmented(np.float32([[0.5, 5, 50]]), np.float32([[1, -1, 1]]), wide, 0.1)
    assert moved == pytest.approx(np.array([[0.6, 4.0, 60.0]]))


def test_features_without_ends_are_as_wide_as_the_rows_reach() -> None:
    rows = np.array([[0.0, -5.0], [2.0, 5.0]], np.float32)
    moved = augmented(rows, np.ones_like(rows), Threat(box=Box.unbounded()), 0.5)
    assert moved.tolist() == [[1.0, 0.0], [3.0, 10.0]]


def test_no_row_is_asked_about_twice() -> None:
    known = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    made = np.array([[4.0, 5.0], [2.0, 3.0], [4.0, 5.0], [-0.0, 1.0], [6.0, 7.0]], np.float32)
    assert unseen(made, known).tolist() == [0, 4]


def test_certainty_is_the_margin_of_the_two_likeliest_classes() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert certainty(np.log(p) + 7) == pytest.approx([0.2, 0.7])
    assert certainty(np.array([[1e4, -1e4]])) == pytest.approx([1.0])


def test_the_least_certain_rows_are_the_pool_and_the_farthest_of_them_are_chosen() -> None:
    """Brute force over all pairs: greedy k-center takes the farthest from known, then the farthest from both."""
    rng = np.random.default_rng(0)
    features, known, certain = rng.normal(size=(40, 3)), rng.normal(size=(5, 3)), rng.random(40)
    pool = set(np.argsort(certain)[:12].tolist())
    centers, expected = list(known), []
    for _ in range(3):
        left = sorted(pool - set(expected))
        far = [min(np.linalg.norm(features[i] - c) for c in centers) for i in left]
        expected.append(left[int(np.argmax(far))])
        centers.append(features[expected[-1]])
    assert chosen(certain, features, known, 3).tolist() == sorted(expected)


def test_all_rows_are_chosen_where_there_are_no_more() -> None:
    assert chosen(np.zeros(3), np.zeros((3, 2)), np.zeros((1, 2)), 5).tolist() == [0, 1, 2]


def test_rows_of_one_place_are_chosen_once_each() -> None:
    assert chosen(np.zeros(9), np.zeros((9, 2)), np.zeros((1, 2)), 4).tolist() == [0, 1, 2, 3]


def test_scores_and_their_probabilities_teach_the_same() -> None:
    logits = np.random.default_rng(1).normal(size=(6, 4)) * 3
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = logits.argmax(axis=1)
    told = [
        taught(labels, below_largest(scores, are_probabilities=known), 4) for scores, known in ((logits, 0), (p, 1))
    ]
    assert told[0] == pytest.approx(told[1], abs=1e-5)
    assert (told[0].argmax(axis=1) == labels).all()


def test_the_scale_of_scores_is_no_matter() -> None:
    logits = np.random.default_rng(2).normal(size=(6, 4))
    labels = logits.argmax(axis=1)
    small, large = (taught(labels, below_largest(k * logits, are_probabilities=False), 4) for k in (0.01, 10))
    assert small == pytest.approx(large, abs=1e-5)


def test_scores_that_are_no_numbers_are_finite_when_they_are_written_down() -> None:
    scores = np.array([[1.0, np.nan, -np.inf], [np.nan, np.nan, np.nan], [np.inf, 0, 0], [0, -1e9, 0]])
    below = below_largest(scores, are_probabilities=False)
    assert below.dtype == np.float32
    assert np.isfinite(below).all()
    assert below[3].tolist() == [0, FLOOR, 0]


def test_a_row_that_names_no_class_teaches_nothing() -> None:
    labels = np.array([1, NO_CLASS])
    assert taught(labels, np.zeros((2, 0), np.float32), 3).tolist() == [[0, 1, 0], [0, 0, 0]]
    soft = taught(labels, np.array([[-1, 0, -2], [0, 0, 0]], np.float32), 3)
    assert soft[1].tolist() == [0, 0, 0]
    assert soft[0].argmax() == 1
    assert not taught(np.array([NO_CLASS]), np.zeros((1, 3), np.float32), 3).any()


def test_labels_of_very_many_classes_take_no_square_of_them() -> None:
    found = taught(np.array([99_999, NO_CLASS]), np.zeros((2, 0), np.float32), 100_000)
    assert (found.shape, found.sum(), found[0, -1]) == ((2, 100_000), 1, 1)
