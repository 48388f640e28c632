"""Values that are chosen from a registry: the name of an entry, or a section of one of the registered kinds.

Both look into the registry when a study is read, not when these modules are imported, so that extensions count.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dying_relu.configuration.section import Section
from dying_relu.errors import DyingReluError
from dying_relu.extensions import Registry

Kind = TypeVar("Kind", bound=Section)


@dataclass(frozen=True, eq=False)
class NameIn:
    """Annotate a string: the name of an entry of ``registry``, or one of ``others``."""

    registry: Registry[Any]
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names to choose from."""
        return (*self.others, *self.registry)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._known, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.names)}

    def _known(self, name: str) -> str:
        names = self.names
        if name not in names:
            raise PydanticCustomError(
                "unknown_name", "one of {names}", {"names": ", ".join(names), "known": names}
            )
        return name


@dataclass(frozen=True, eq=False)
class KindIn:
    """Annotate a section: one of the classes in ``registry``, told apart by ``kind``.

    Models that contain one have to be rebuilt when a class is added.
    """

    registry: Registry[Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Not with |: how many there are is known when this runs.
        kinds: Any = Union[tuple(self.registry.values())]  # noqa: UP007
        return handler.generate_schema(Annotated[kinds, Field(discriminator="kind")])


def add_kind(registry: Registry[type[Kind]], section: type[Kind]) -> None:
    """Add a class to ``registry`` under the value of its key ``kind``.

    Args:
        registry: of such classes.
        section: has the key ``kind: Literal["its_name"]``.

    Raises:
        DyingReluError: it has not, or the name is taken.
    """
    annotation = section.model_fields["kind"].annotation
    names = get_args(annotation) if get_origin(annotation) is Literal else ()
    if len(names) != 1:
        raise DyingReluError(
            f"the {registry.kind} {section.__name__} has no kind", expected='kind: Literal["its_name"]'
        )
    registry.add(names[0], section)
