"""How an endpoint can fail its audit, in sentences of our own: nothing that it wrote is ever repeated."""

from algorithms.errors import ModelFault

UNAVAILABLE = "endpoint_unavailable"
BAD_RESPONSE = "endpoint_bad_response"


def unavailable(detail: str) -> ModelFault:
    """Make the fault of an endpoint that could not be asked."""
    return ModelFault(detail, code=UNAVAILABLE)


def bad_response(detail: str) -> ModelFault:
    """Make the fault of an endpoint that answered something else than it was asked."""
    return ModelFault(detail, code=BAD_RESPONSE)


class Unordered(ModelFault):
    """An answer has its numbers in an order by chance: no smaller request mends that."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code=BAD_RESPONSE)
