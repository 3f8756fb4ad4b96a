"""What a method tells beside its finding stays small, whatever model it is asked about."""

import json

from tests.laws.members import held, undisturbed

NAMES, LETTERS = 32, 24  # so many parts of such names fit into what the store keeps, each moved away if it must be


@held()
def test_details_are_plain_json_of_few_and_short_names(method, norm):
    for outcome in undisturbed(method, norm):
        details = outcome.finding.details
        assert json.loads(json.dumps(details, allow_nan=False)) == details
        assert len(details) <= NAMES and all(len(name) <= LETTERS for name in details)
