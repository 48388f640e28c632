"""Options that several commands have, and the groups in which the help lists commands."""

from pathlib import Path
from typing import Annotated

import typer

PEOPLE = "For people"
RULES = "Called by the workflow's rules"

Config = Annotated[Path, typer.Option(help="The study's YAML file.")]
Results = Annotated[Path, typer.Option(help="Folder with the study's tables, results/<study>.")]

DEFAULT_CONFIG = Path("config/config.yaml")
