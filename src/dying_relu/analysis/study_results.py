"""The results of a study as claims, figures, tables and numbers ask for them: each read and checked once, when it is first needed."""

import copy
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import pandas as pd

from dying_relu import configuration
from dying_relu.configuration import Configuration
from dying_relu.plan.study import Study, plan
from dying_relu.results import provenance, store

Value = TypeVar("Value")


class StudyResults:
    """A study's tables, its record and its configuration, which nothing here changes.

    Args:
        folder: ``results/<study>``.
        configuration_path: the study's YAML file.
    """

    def __init__(self, folder: Path, configuration_path: Path = provenance.DEFAULT_CONFIGURATION) -> None:
        self.folder = folder
        self.configuration_path = configuration_path
        self._tables: dict[str, pd.DataFrame] = {}
        self._whole: set[str] = set()
        self._remembered: dict[Hashable, Any] = {}

    def table(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """A table, checked against its sum and its schema.

        Args:
            name: of the table, such as "runs".
            columns: the columns that are needed, of a table with many rows; none: all of them.

        Returns:
            A row of the table a row, with at least ``columns``; shared by all who ask, so not to be changed.

        Raises:
            DyingReluError: it is missing or damaged.
        """
        read = self._tables.get(name)
        if read is None or not (set(columns) <= set(read.columns) if columns else name in self._whole):
            known = [] if read is None or not columns else list(read.columns)
            self._tables[name] = self._read(name, list(dict.fromkeys([*known, *columns])))
            self._whole |= set() if columns else {name}
        return self._tables[name]

    def _read(self, name: str, columns: list[str]) -> pd.DataFrame:
        return store.read(name, self.folder / f"{name}.parquet", columns or None)

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration, as its file says it."""
        return configuration.load(self.configuration_path)

    @cached_property
    def plan(self) -> Study:
        """The shards and runs that follow from the configuration."""
        return plan(self.configuration)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the tables' origin; see :func:`dying_relu.results.provenance.read`."""
        return provenance.read(self.folder)

    def require_configuration(self) -> None:
        """Raise an error unless the configuration is that of the tables."""
        provenance.require_configuration(self.folder, self.configuration_path)

    def require_recorded_tables(self) -> None:
        """Raise an error unless every table is the one that was recorded."""
        provenance.check(self.folder)

    def remember(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made when it is first asked for.

        Args:
            key: names the value.
            make: returns the value; called once for each key.
        """
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]

    def apart(self) -> Self:
        """The same results with a memory of their own, which goes with them: for measurements that are large and asked for once."""
        other = copy.copy(self)
        other._remembered = {}
        return other
