"""A part of a list, as the API shows it."""

from typing import Any, Generic, TypeVar

from models.record import Record

T = TypeVar("T")


class Page(Record, Generic[T]):
    """A page holds some items of a list, and says where the next begin. `next_cursor` null: there is no more."""

    items: tuple[T, ...]
    next_cursor: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Names a page of `Job` `JobPage` in the OpenAPI document."""
        return f"{params[0].__name__}Page"
