"""What goes wrong while a runner answers becomes a message that says what it was."""

import pytest

from algorithms.errors import Contradiction, ModelFault, Refused
from workers.frames import Frame
from workers.messages import Fault, Message, NotAccepted
from workers.runner.answering import answered


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Contradiction("0.5 is above 0.4"), Fault(code="contradiction", detail="0.5 is above 0.4")),
        (ModelFault("It stopped."), Fault(code="model_fault", detail="It stopped.")),
        (Refused("No.", code="not_available"), NotAccepted(code="not_available", detail="No.")),
        (
            ZeroDivisionError("/secret"),
            Fault(
                code="model_fault",
                detail="The model failed while it was asked, in a way that is not known here; export it again.",
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_told_by_its_kind_and_not_by_its_traceback(error: Exception, told: Message) -> None:
    def answer(frame: Frame) -> Message:
        raise error

    assert answered(answer, Frame("run")) == told
