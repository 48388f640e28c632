"""A block of a study's file, and the types of its keys."""

import unicodedata
from collections import Counter
from collections.abc import Hashable
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dying_relu import extensions

Item = TypeVar("Item", bound=Hashable)


class Section(BaseModel):
    """A block of the configuration: every key is known, every value has its type, nothing changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Check values, which may name what extensions add; see pydantic."""
        extensions.load()
        return super().model_validate(obj, **options)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, values: object) -> object:
        # pydantic would find them too, but it does not say which keys there are.
        if isinstance(values, dict):
            unknown = [key for key in values if key not in cls.model_fields]
            if unknown:
                known = tuple(cls.model_fields)
                raise PydanticCustomError(
                    "unknown_key",
                    "one of {names}",
                    {"names": ", ".join(known), "keys": tuple(map(str, unknown)), "known": known},
                )
        return values


def _unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    # By what it means: an activation whose slope is the default one is the same with and without it.
    item, times = Counter(getattr(item, "effective", item) for item in items).most_common(1)[0]
    if times > 1:
        raise PydanticCustomError(
            "repeated", "each value once", {"found": f"{getattr(item, 'name', item)!r} {times} times"}
        )
    return items


def _printable(text: str) -> str:
    """Refuse what ends a path early or a terminal would obey; the text may have several lines."""
    if any(unicodedata.category(character) == "Cc" for character in text if character not in "\t\n"):
        raise PydanticCustomError("control_characters", "text without control characters")
    return text


def _on_one_line(text: str) -> str:
    if "\t" in text or "\n" in text:
        raise PydanticCustomError("control_characters", "text without control characters")
    return _printable(text)


# pydantic's strict mode would want a tuple, and YAML has only lists.
Several = Annotated[tuple[Item, ...], Field(strict=False)]
Axis = Annotated[Several[Item], Field(min_length=1), AfterValidator(_unique)]
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Width = Annotated[int, Field(gt=0, le=100_000)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[str, AfterValidator(_printable)]
Line = Annotated[str, AfterValidator(_on_one_line)]
