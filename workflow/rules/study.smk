# The study to run, read and checked before any job: one file, the whole truth about it.
# (Snakemake's lock files would outlive a kill: they are off, and start.smk locks the folder in a way that ends with the process.)
import os
import shlex
import sys
from pathlib import Path

from dying_relu.plan import cost, study
from dying_relu.plan.gpu import is_gpu
from dying_relu.plan.resources import mebibytes_for, minutes_for
from dying_relu.results.code_digest import code_digest
from dying_relu.errors import DyingReluError
from dying_relu.results.origin import LIBRARIES, versions
from snakemake.exceptions import WorkflowError
from snakemake_logger_plugin_progress import tally

# Rules call commands of the environment that Snakemake runs in; also where it was not activated. (A prefix replaces Snakemake's own,
# which makes a pipe fail with its first command.)
COMMANDS = str(Path(sys.executable).parent)
if COMMANDS not in os.environ.get("PATH", "").split(os.pathsep):
    shell.prefix(f'set -euo pipefail; export PATH={shlex.quote(COMMANDS)}:"$PATH"; ')

TABLES = ["runs", "checkpoints", "layers", "units", "activity"]
SIMULATIONS = ["validation", "born_dead"]
# A table, and the checksum beside it (dying_relu.files.checksums).
AND_SUM = ["", ".sha256"]


def configuration_file():
    """The file given with --configfile, or the default study's."""
    if workflow.config_settings.config:
        raise WorkflowError(
            "A study is one file: --config is not supported. Copy config/config.yaml, change the copy, and give it "
            "with --configfile."
        )
    given = [Path(path) for path in workflow.configfiles or ["config/config.yaml"]]
    if len(given) > 1:
        raise WorkflowError("A study is one file: give one --configfile, not several.")
    # Relative, so that a project folder can be moved and still be up to date.
    inside = given[0].is_absolute() and given[0].is_relative_to(Path.cwd())
    return str(given[0].relative_to(Path.cwd()) if inside else given[0])


def planned(path):
    try:
        return study.load(Path(path))
    except DyingReluError as error:
        raise WorkflowError(str(error))


def measured(wildcards):
    """Where the job of a shard has written, or will write, the time and memory that it takes."""
    return Path(f"results/{wildcards.study}/benchmarks/train/{wildcards.shard}.tsv")


# An input of many rules, and always ancient(): what matters to a job is in its parameters, so that one more learning
# rate does not train everything again. (Not the copy in results/: a job downstream of one that runs is not
# looked at for changed parameters.)
CONFIG = configuration_file()
STUDY = planned(CONFIG)
if STUDY.name == "published" and Path(CONFIG).name != "published.yaml":
    raise WorkflowError(
        f"{CONFIG} calls its study 'published', which is the name of the one whose tables are tracked in "
        "results/published. Give it another name."
    )

# Other libraries may give other numbers, and tables of both would not be put together.
VERSIONS = versions(*LIBRARIES)

# For the time left on the terminal.
tally.EXPECTED.update({shard.name: cost.seconds(shard) for shard in STUDY.shards})
