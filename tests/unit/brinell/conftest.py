import pytest

from tests.unit.brinell import stand_in


@pytest.fixture
def api():
    with stand_in.running() as server:
        yield server
