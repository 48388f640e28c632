"""The project's folder, for what is started somewhere inside it, such as a notebook."""

from pathlib import Path


def project_folder(start: Path | None = None) -> Path:
    """The nearest folder above, or the first itself, that has a Snakefile; the first if none has.

    Args:
        start: where to begin; default: the working folder.
    """
    start = start or Path.cwd()
    return next((folder for folder in (start, *start.parents) if (folder / "Snakefile").exists()), start)
