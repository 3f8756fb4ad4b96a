"""A part of a list, as the API shows it."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some items of a list, and where the next begin. `next_cursor` null: there is no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[T, ...]
    next_cursor: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Names a page of `Job` `JobPage` in the OpenAPI document."""
        return f"{params[0].__name__}Page"
