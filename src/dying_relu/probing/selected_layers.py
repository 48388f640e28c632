"""The layers that the caller of the probe wants, by names or patterns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dying_relu.probing.activations import place_of


@dataclass(frozen=True)
class Selected:
    """The layers that the caller wants, by names or patterns such as ``encoder.*``.

    >>> Selected.of("encoder.*", "*.2").wants("encoder.2")
    False
    """

    layers: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, layers: str | Sequence[str] | None, ignore: str | Sequence[str]) -> "Selected":
        """Read the options of the probe.

        Args:
            layers: to report; None for all.
            ignore: to leave out.
        """
        if layers is None and not ignore:
            return EVERYTHING
        return cls(None if layers is None else _listed(layers), _listed(ignore))

    def wants(self, name: str) -> bool:
        """Tell whether a call is wanted.

        Args:
            name: of the call.
        """
        wanted = self.layers is None or any(_fits(name, pattern) for pattern in self.layers)
        return wanted and not any(_fits(name, pattern) for pattern in self.ignore)

    def unmatched(self, names: Iterable[str]) -> list[str]:
        """The patterns that fit no layer.

        Args:
            names: of all layers.
        """
        names = list(names)
        patterns = (*(self.layers or ()), *self.ignore)
        return [pattern for pattern in patterns if not any(_fits(name, pattern) for name in names)]


EVERYTHING = Selected()


def _listed(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(place_of(name), pattern)
