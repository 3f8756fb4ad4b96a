"""Messages: what a frame says, one class each. To read one is to check it: a model may have taken over its runner.

Here are those that any kind of work may need. A kind's own stand in its file, `workers/work/`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator, ValidationError

from models.cards import ModelCard
from models.record import Record
from workers import frames
from workers.confinement.levels import Isolation
from workers.frames import Frame, FrameError

MAX_TEXT = 2000  # characters of a code or a sentence
MOST_HOLD_SECONDS = 3600.0


def _array_of(dtype: type[np.generic]) -> PlainValidator:
    def checked(value: object) -> NDArray[Any]:
        if isinstance(value, np.ndarray | np.generic) and value.dtype == dtype:
            return np.asarray(value)
        raise ValueError("this is no array of the kind that was agreed on")

    return PlainValidator(checked)


def _named(value: object) -> Mapping[str, NDArray[Any]]:
    if isinstance(value, Mapping) and all(isinstance(each, np.ndarray) for each in value.values()):
        return dict(value)
    raise ValueError("these are no arrays with names")


Floats = Annotated[NDArray[np.float32], _array_of(np.float32)]
Integers = Annotated[NDArray[np.int64], _array_of(np.int64)]
NamedArrays = Annotated[Mapping[str, NDArray[Any]], PlainValidator(_named)]
Natural = Annotated[int, Field(strict=True, ge=0)]
Seconds = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
ShortText = Annotated[str, Field(strict=True, max_length=MAX_TEXT)]


class Message(Record):
    """A frame with a meaning: `kind` is the frame's, arrays and bytes travel as its blobs, the rest in its header.

    An array of a field of named arrays is a blob FIELD.NAME.
    """

    kind: ClassVar[str]

    def frame(self) -> Frame:
        """The frame that says this."""
        arrays = {name: value for name, value in self if isinstance(value, np.ndarray)}
        blobs = {name: value for name, value in self if isinstance(value, bytes)}
        named = {name: getattr(self, name) for name in self._named()}
        fields = self.model_dump(mode="json", exclude=arrays.keys() | blobs.keys() | named.keys())
        inner = {f"{field}.{name}": array for field, each in named.items() for name, array in each.items()}
        frame = frames.with_arrays(self.kind, arrays | inner, **fields)
        return Frame(self.kind, frame.fields, {**frame.blobs, **blobs})

    @classmethod
    def _named(cls) -> list[str]:
        return [name for name, field in cls.model_fields.items() if field.annotation == Mapping[str, NDArray[Any]]]

    @classmethod
    def read(cls, frame: Frame) -> Self:
        """Reads the message of a frame. Raises FrameError where it is another one, or says what this message cannot."""
        if frame.kind != cls.kind:
            raise FrameError(f"a frame came out of turn: {frame.kind[:32]!r}")
        fields = {name: value for name, value in frame.fields.items() if name != "arrays"}
        told: dict[str, Any] = {**fields, **frame.blobs, **frame.arrays()}
        for field in cls._named():
            inner = [name for name in told if name.startswith(f"{field}.")]
            told[field] = {name.removeprefix(f"{field}."): told.pop(name) for name in inner}
        try:
            return cls.model_validate(told)
        except (TypeError, ValidationError) as error:
            raise FrameError(f"the frame {cls.kind!r} does not say what it should") from error


class CallPermission(Record):
    """What lets a runner call an endpoint. The secret goes this way and no other: never in arguments or environment."""

    trusted: bool
    credential: Annotated[tuple[str, str] | None, Field(repr=False)]  # name and value of a header


class AboutModel(Message):
    """A model's card and bytes, and where it is to be opened. `permission`: of an endpoint."""

    card: ModelCard
    device: str
    permission: CallPermission | None = None
    model: bytes


class Ready(Message):
    """The runner has imported its libraries and shut itself in, so strictly; it has seen no model yet."""

    kind = "ready"

    isolation: Isolation
    denied: tuple[ShortText, ...]


class OpenModel(AboutModel):
    """Have this model at hand from now on."""

    kind = "open"


class ModelOpened(Message):
    """The model is at hand."""

    kind = "opened"


class Cancel(Message):
    """Stop at the next beat; what has been found is kept. The only message that comes while a runner is at work."""

    kind = "cancel"


class Progressed(Message):
    """How far the work has come: at most once a second, and never an answer."""

    kind = "progress"

    samples_done: Natural
    fraction: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    queries: Natural
    gradients: Natural


class TurnsAsked(Message):
    """May an endpoint be called so often, after it asked for so many seconds of pause?"""

    kind = "turns"

    calls: Annotated[int, Field(strict=True, ge=1)]
    hold: Annotated[Seconds, Field(le=MOST_HOLD_SECONDS)]


class TurnsGranted(Message):
    """The turns asked for may be used after so many seconds."""

    kind = "granted"

    seconds: Seconds


class NotAccepted(Message):
    """The model is not accepted, for the reason that `code` and `detail` give."""

    kind = "refused"

    code: ShortText
    detail: ShortText


class Fault(Message):
    """The model or our code failed; the runner may go on."""

    kind = "fault"

    code: Literal["model_fault", "contradiction", "endpoint_unavailable", "endpoint_bad_response"]
    detail: ShortText
