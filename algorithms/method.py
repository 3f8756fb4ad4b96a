"""The base of every method's parameters, and what a method may cost."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Subclasses pin `name` to a Literal: it is the word clients send as `method.name`.

    Strict: "3" and true are not numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str


@dataclass(frozen=True)
class Cost:
    """What one sample costs: rows sent, Jacobians taken."""

    queries: int = 0
    gradients: int = 0


@dataclass(frozen=True)
class Budget:
    """The most one sample may cost. None: no limit."""

    queries: int | None = 10_000
    gradients: int | None = None
