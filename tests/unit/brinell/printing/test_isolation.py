"""What a service that has started here says of its isolation."""

import pytest

from brinell.printing.isolation import told_isolation


@pytest.mark.parametrize(
    ("isolation", "denied", "expected"),
    [
        ("strict", [], "Uploaded models run at isolation level strict."),
        ("strict", ["user", "net"], "Uploaded models run at isolation level strict (this machine denies: user, net)."),
        (
            "basic",
            ["landlock"],
            "Uploaded models run at isolation level basic (this machine denies: landlock): take none from people "
            "you do not trust.",
        ),
        ("basic", [], "Uploaded models run at isolation level basic: take none from people you do not trust."),
    ],
    ids=["whole", "without extras", "for want of a layer", "chosen"],
)
def test_it_names_the_isolation_and_what_is_missing(isolation, denied, expected):
    ready = {"status": "ready", "workers": {"compute": 1}, "isolation": isolation, "isolation_denied": denied}
    assert told_isolation(ready) == expected
