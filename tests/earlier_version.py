"""A table's file as another version of the program would have written it."""

from pathlib import Path

import pyarrow.parquet as pq

from dying_relu.files import checksums
from dying_relu.results import store


def written_by(path: Path, version: bytes | None = None) -> None:
    """Change a table's file, and its checksum, to those of another version; None: of the first, which wrote no number."""
    content = pq.read_table(path)
    metadata = {key: value for key, value in content.schema.metadata.items() if key != store.SCHEMA_VERSION}
    metadata |= {} if version is None else {store.SCHEMA_VERSION: version}
    pq.write_table(content.replace_schema_metadata(metadata), path)
    checksums.write_beside(path)
