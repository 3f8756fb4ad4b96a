"""What is written as plain JSON, in answers, in the store and in reports: frozen, and without unknown fields."""

from pydantic import BaseModel, ConfigDict, PlainSerializer, WrapValidator

# `Annotated[R, *ECHOED]`: JSON that was checked as an R when it was taken. It is described as one, kept as a dict and
# not checked again: what was taken once may be refused today.
ECHOED = (WrapValidator(lambda written, _: written), PlainSerializer(lambda written: written))


class Record(BaseModel):
    """A record refuses unknown fields; what is written of it has every field, those left at their defaults too."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class Archived(Record):
    """An archived record is shown as it was written once: an old one may lack fields that came later."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)
