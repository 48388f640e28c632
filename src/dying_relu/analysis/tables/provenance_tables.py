"""The versions of what the results depend on."""

from pathlib import Path

from dying_relu import provenance
from dying_relu.analysis import formatting


def versions(results_folder: Path, configuration_path: Path) -> str:
    """Each library with its version, in a line of text."""
    found = provenance.read(results_folder)["versions"]
    return formatting.escape(", ".join(f"{library} {version}" for library, version in found.items())) + ".%\n"
