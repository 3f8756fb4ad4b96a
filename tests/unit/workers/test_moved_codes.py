"""Of a point that changes a code the finding says which."""

import numpy as np

from algorithms.seam.claims import Kind
from models.cards import ModelInput
from tests.jobs_for_tests import finding, ready_card
from workers import moved_codes

TABLE = ready_card(
    input=ModelInput(name="x", dtype="float32", shape=(2, 3), batch=None, whole_features=(1, 5)), output=None
)
ROW = np.arange(6, dtype=np.float32).reshape(2, 3)


def moved(feature):
    point = ROW.copy()
    point.ravel()[feature] += 0.25
    return point


def test_only_codes_that_were_changed_are_named_and_only_of_points():
    found = [finding(i, Kind.UPPER_BOUND, 0.25) for i in range(3)] + [finding(3, Kind.ABSTAINED, None)]
    points = {0: moved(5), 1: moved(2), 2: moved([1, 2, 5])}
    told = moved_codes.told(found, points, dict.fromkeys(range(4), ROW), TABLE)
    assert [one.details.get("whole_features_moved") for one in told] == [[5], None, [1, 5], None]


def test_a_model_without_codes_tells_nothing():
    found = (finding(0, Kind.UPPER_BOUND, 0.25),)
    assert moved_codes.told(found, {0: moved(5)}, {0: ROW}, ready_card()) == found
