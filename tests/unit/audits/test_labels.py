"""Labels that do not belong to the answers, and poor models that are honest."""

import numpy as np
import pytest

from algorithms.seam.claims import Kind
from audits.evidence.labels import fits_another_order, is_near_chance, suspicious
from tests.unit.audits.test_alarms import finding, sample


def answers(labels, accuracy, classes, rng, *, confused=0.0):
    """Right with this accuracy; else any class, or, `confused`, the next one."""
    right, near = rng.random(len(labels)) < accuracy, rng.random(len(labels)) < confused
    anything = rng.integers(0, classes, len(labels))
    return np.where(right, labels, np.where(near, (labels + 1) % classes, anything))


def by_name(classes):
    """Which folder each class stands in, folders sorted by name."""
    place = np.empty(classes, np.int64)
    place[sorted(range(classes), key=str)] = np.arange(classes)
    return place


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.95])
@pytest.mark.parametrize(("classes", "count"), [(11, 150), (12, 120), (30, 200), (200, 400)])
def test_class_folders_sorted_by_name_are_found_out(classes, count, accuracy):
    rng = np.random.default_rng(classes)
    truth = rng.integers(0, classes, count)
    assert fits_another_order(by_name(classes)[truth], answers(truth, accuracy, classes, rng), classes)
    assert fits_another_order(truth, by_name(classes)[answers(truth, accuracy, classes, rng)], classes)


@pytest.mark.parametrize(
    "order", [[1, 0, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]]
)
def test_any_other_order_is_found_out_by_samples_enough(order):
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 10, 300)
    assert fits_another_order(np.array(order)[truth], answers(truth, 0.8, 10, rng), 10)


def test_two_classes_that_changed_places_are_found_out():
    truth = np.arange(20) % 2
    assert fits_another_order(1 - truth, truth, 2)
    assert not fits_another_order(1 - truth[:6], truth[:6], 2), "six coins may all fall so"


@pytest.mark.parametrize("confused", [0.0, 0.4])
@pytest.mark.parametrize("accuracy", [0.3, 0.4, 0.6, 0.99])
@pytest.mark.parametrize(("classes", "count"), [(2, 40), (3, 10), (10, 10), (10, 200), (12, 60), (100, 300)])
def test_an_honest_poor_model_raises_nothing_about_its_order(classes, count, accuracy, confused):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, classes, count)
        given = answers(truth, max(accuracy, 1 / classes), classes, rng, confused=confused)
        assert not fits_another_order(truth, given, classes)


@pytest.mark.parametrize("constant", [0, 3])
def test_a_model_of_one_answer_has_no_order(constant):
    truth = np.repeat(np.arange(4), [80, 10, 5, 5])
    assert not fits_another_order(truth, np.full(100, constant), 4)


def test_an_answer_that_is_no_class_fits_nothing():
    assert not fits_another_order(np.arange(30) % 3, np.full(30, -1), 3)


@pytest.mark.parametrize(
    ("right", "of", "classes", "expected"),
    [
        (10, 100, 10, True),
        (3, 100, 10, True),  # below chance
        (30, 100, 10, False),
        (1, 10, 10, True),
        (0, 4, 10, False),  # may be right on half of them
        (50, 100, 2, True),
        (58, 100, 2, True),
        (62, 100, 2, False),
        (5, 10, 2, False),
        (0, 20, 2, True),
        (300, 1000, 1000, False),
        (2, 1000, 1000, True),
    ],
)
def test_an_accuracy_is_near_chance_where_samples_enough_do_not_tell_it_from_chance(right, of, classes, expected):
    assert is_near_chance(right, of, classes) == expected


def test_the_alarm_shows_the_wrong_rows_and_holds_nothing_back():
    rows = [
        sample(index=i, pgd=finding(i, Kind.MISCLASSIFIED, 0.0, label=i % 2, predicted=1 - i % 2)).row
        for i in range(30)
    ]
    alarm = suspicious(rows, 2)
    assert (alarm.code, alarm.severity, alarm.count, alarm.samples) == ("labels_suspicious", "warning", 30, 30)
    assert not alarm.holds_back and "another order" in alarm.explanation
    assert suspicious(rows[:3], 2) is None
    assert suspicious([], 2) is None
