"""Progress of a study on the terminal: a bar, the time left and the running jobs, instead of a page per job.

``profiles/default`` switches it on (``logger: progress``). In a terminal two lines at the bottom are kept up to date, a bar with the
time left and the running jobs; anywhere else (a log file, CI) every finished job is one line. A summary remains, also of a run that
failed or was stopped. Errors, warnings and dry runs look as they always do; the details of every job go to Snakemake's own log
in ``.snakemake/log`` and to ``results/<study>/logs``.
"""

import sys
import time
from logging import LogRecord

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_progress.tally import Tally

REPLACED = {LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED}
LEFT_OUT = {LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO, LogEvent.SHELLCMD}
CHATTER = (
    "Select jobs to execute",
    "Execute ",
    "Assuming unrestricted",
    "host:",
    "Using shell",
    "Building DAG",
    # Of every file in object storage.
    "Removing local copy",
    "Retrieving from storage",
    "Storing in storage",
    "Finished retrieval",
    "Finished upload",
)
BAR = 24
"""Columns of the bar."""


class LogHandler(LogHandlerBase):
    """Handler that prints Snakemake's messages, with a tally in place of those about single jobs."""

    def __post_init__(self) -> None:
        self.console = Console(
            file=sys.stdout if self.common_settings.stdout else sys.stderr,
            highlight=False,
            no_color=self.common_settings.nocolor or None,
        )
        self.tally = Tally(time.monotonic)
        self.live = Live(
            console=self.console, refresh_per_second=1, transient=True, get_renderable=self._status
        )

    def emit(self, record: LogRecord) -> None:
        """Show one message of Snakemake."""
        event = getattr(record, "event", None)
        if self.common_settings.dryrun:
            self._print(record)
        elif event == LogEvent.PROGRESS:
            if record.done == record.total:  # type: ignore[attr-defined]
                self._sum_up()
        elif event in REPLACED:
            self._count(event, record)
        elif event == LogEvent.RUN_INFO:
            self.tally.plan(record.stats)  # type: ignore[attr-defined]
            if self.console.is_terminal and not self.live.is_started:
                self.live.start()
        elif self._is_worth_showing(event, record):
            if event == LogEvent.JOB_ERROR:
                self.tally.failed(record.jobid)  # type: ignore[attr-defined]
            self._print(record)

    def close(self) -> None:
        """Restore the terminal, and sum up what was stopped before its end."""
        self._sum_up()
        super().close()

    def _sum_up(self) -> None:
        self.live.stop()
        if summary := self.tally.summary():
            self.console.print(summary, soft_wrap=True)
            self.tally = Tally(time.monotonic)

    def _count(self, event: LogEvent, record: LogRecord) -> None:
        if event == LogEvent.JOB_INFO:
            makes = bool(record.output or record.log)  # type: ignore[attr-defined]
            self.tally.started(record.jobid, record.rule_name, record.wildcards or {}, makes=makes)  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_FINISHED:
            line = self.tally.finished(record.job_id)  # type: ignore[attr-defined]
            if line and not self.console.is_terminal:
                self.console.print(line, soft_wrap=True)

    def _is_worth_showing(self, event: LogEvent | None, record: LogRecord) -> bool:
        if self.common_settings.verbose or self.common_settings.printshellcmds:
            return True
        return event not in LEFT_OUT and not record.getMessage().startswith(CHATTER)

    def _print(self, record: LogRecord) -> None:
        message = self.format(record)
        if message and message != "None":
            style = "red" if record.levelname in ("ERROR", "CRITICAL") else ""
            self.console.print(Text(message, style=style), soft_wrap=True)

    def _status(self) -> Group:
        share, counts, running = self.tally.status()
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(1.0, share, width=BAR), Text(counts, no_wrap=True, overflow="ellipsis"))
        return Group(line, Text(running, no_wrap=True, overflow="ellipsis"))

    @property
    def writes_to_stream(self) -> bool:
        """True: the handler replaces Snakemake's own output."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """False: Snakemake keeps writing its own log file."""
        return False

    @property
    def has_filter(self) -> bool:
        """False: Snakemake's filter (``--quiet``) applies."""
        return False

    @property
    def has_formatter(self) -> bool:
        """False: Snakemake's formatter applies to messages that are not replaced."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """False: no message needs it."""
        return False
