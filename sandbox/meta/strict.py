"""What every model of a request builds on: nothing unknown, nothing blank, nothing too long."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class MetaObject(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _at_most(value: str, length: int) -> str:
    """Whether Meta counts characters or UTF-16 units is not documented: units are the stricter reading."""
    if len(value.encode("utf-16-le", "surrogatepass")) // 2 > length:
        raise PydanticCustomError("string_too_long", "is too long", {"max_length": length})
    return value


def maybe_up_to(length: int) -> Any:
    """A text of limited length, which may be empty."""
    return AfterValidator(lambda value: _at_most(value, length))


def up_to(length: int) -> Any:
    """A text of limited length that says something."""
    return AfterValidator(lambda value: _not_blank(_at_most(value, length)))


Filled = Annotated[str, AfterValidator(_not_blank)]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
