"""The versions of what the results depend on."""

from pathlib import Path

import pandas as pd

from dying_relu import provenance
from dying_relu.analysis import formatting
from dying_relu.analysis.tables.tabular import tabular


def versions(results_folder: Path, configuration_path: Path) -> str:
    """A row a library."""
    found = provenance.read(results_folder)["versions"]
    table = pd.DataFrame(
        {
            "Library": [formatting.escape(library) for library in found],
            "Version": [formatting.escape(version) for version in found.values()],
        }
    )
    return tabular(table, "@{}ll@{}")
