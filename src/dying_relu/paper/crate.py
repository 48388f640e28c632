"""The RO-Crate metadata of a study's results: a description of the bundle's files that archives and programs read.

Source: RO-Crate 1.1, https://w3id.org/ro/crate/1.1 (Soiland-Reyes et al., 2022).
"""

import json
import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dying_relu.files import checksums

NAME = "ro-crate-metadata.json"
"""The name that the specification gives the file."""

DESCRIPTIONS = {
    "study.yaml": "Configuration of the study: data sets, architectures, optimisers, experiments",
    "claims.csv": "Verdicts on the claims, with effects, intervals and rules",
    "numbers.json": "Every number of the paper",
    "paper.pdf": "The paper",
    "provenance.json": "Commit, versions of libraries, machine, and checksums of the tables",
    "README.txt": "Contents of this folder",
    "LICENSE": "Licence of the project",
    "CITATION.cff": "How to cite the project",
    "codemeta.json": "Description of the software",
}
PARQUET = "application/vnd.apache.parquet"
SOFTWARE = "#dying-relu"


def metadata(
    folder: Path, study: str, record: Mapping[str, Any], rows: Mapping[str, str], date: int
) -> bytes:
    """Describe the files of a bundle.

    Args:
        folder: with the files, all of which are described.
        study: its name.
        record: of the study's origin; see :func:`dying_relu.results.provenance.read`.
        rows: the meaning of a row of each table, by the table's name.
        date: of the source, in seconds since 1970.

    Returns:
        JSON-LD, the same bytes for the same files.
    """
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name = f"Do ReLUs die? Results of the study “{study}”"
    crate.description = (
        f"Tables, verdicts, numbers and paper of the study “{study}”; made by: {record['command']}"
    )
    crate.license = "https://spdx.org/licenses/MIT"
    crate.datePublished = datetime.fromtimestamp(date, tz=UTC).isoformat()
    files = [
        crate.add_file(path, dest_path=path.name, properties=_properties(path, rows))
        for path in sorted(folder.iterdir())
    ]
    software = {"@type": "SoftwareSourceCode", "name": "dying-relu", "version": str(record["commit"])}
    action = {
        "@type": "CreateAction",
        "name": f"Run of the study “{study}”",
        "description": record["command"],
    }
    instrument = crate.add(ContextEntity(crate, SOFTWARE, properties=software))
    run = crate.add(ContextEntity(crate, "#run", properties=action))
    run["instrument"] = instrument
    run["object"] = [file for file in files if file.id == "study.yaml"]
    run["result"] = [file for file in files if file.id.endswith((".parquet", ".csv", ".pdf", "numbers.json"))]
    crate.root_dataset["mentions"] = run
    text = json.dumps(crate.metadata.generate(), indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _properties(path: Path, rows: Mapping[str, str]) -> dict[str, Any]:
    """The properties of a file: its form, its size, its sum, and what it holds."""
    row = rows.get(path.stem) if path.suffix == ".parquet" else None
    form = PARQUET if path.suffix == ".parquet" else mimetypes.guess_type(path.name)[0]
    about = {
        "name": path.name,
        "description": f"Table; a row is {row}" if row else DESCRIPTIONS.get(path.name),
        "encodingFormat": form or "text/plain",
        "contentSize": str(path.stat().st_size),
        "sha256": checksums.sha256(path),
    }
    return {name: value for name, value in about.items() if value}
