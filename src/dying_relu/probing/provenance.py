"""The origin of a report: of which model, on how many batches, when, with which versions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata


@dataclass(frozen=True)
class Provenance:
    """The origin of a report.

    Attributes:
        model: name of the model's class.
        batches: how many were run.
        date: when it was made, in UTC, ISO 8601 to the minute.
        version: of dying-relu.
        torch: version of PyTorch.
    """

    model: str = ""
    batches: int = 0
    date: str = ""
    version: str = ""
    torch: str = ""

    @classmethod
    def now(cls, model: str, batches: int) -> "Provenance":
        """The origin of a report that is made now.

        Args:
            model: name of the model's class.
            batches: how many were run.
        """
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        return cls(model, batches, date, _version("dying-relu"), _version("torch"))


@cache  # reading a package's metadata takes as long as probing a small model
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
