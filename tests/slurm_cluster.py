"""A Slurm cluster of one machine, this one: munged, slurmctld and slurmd as Debian has them, in a folder of their own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dying_relu.paper import debian

PACKAGES = ("slurm-wlm", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")

CONFIGURATION = """
ClusterName=dying-relu
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MinJobAge=3600
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


WHERE_SLURM_LOOKS = Path("/etc/slurm/slurm.conf")
"""The executor plugin clears Slurm's environment variables, so the configuration has to be here."""


def why_not() -> str:
    """What keeps a cluster from running here; nothing if it can run."""
    if os.geteuid() != 0:
        return "starting Slurm takes root"
    if WHERE_SLURM_LOOKS.exists():
        return "this machine has a Slurm of its own"
    if any(shutil.which(program) is None for program in PROGRAMS) and not debian.may_install():
        return "there is no Slurm, and no apt-get to install it with"
    return ""


def install() -> None:
    """Install what is missing; for root on Debian and its relatives."""
    if not all(map(shutil.which, PROGRAMS)):
        debian.install(*PACKAGES)


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A cluster that runs within the block, its files in ``folder``."""
    _configure(folder)
    # Munge wants to be alone in the folders of its files.
    munged = [
        "munged",
        "--foreground",
        "--force",
        f"--socket={folder}/munge.socket",
        f"--key-file={folder}/munge.key",
    ]
    munged += [f"--{file}-file={folder}/munge.{file}" for file in ("pid", "log", "seed")]
    with ExitStack() as stack:
        WHERE_SLURM_LOOKS.parent.mkdir(exist_ok=True)
        WHERE_SLURM_LOOKS.symlink_to(folder / "slurm.conf")
        stack.callback(WHERE_SLURM_LOOKS.unlink)
        for command in (munged, ["slurmctld", "-D", "-c"], ["slurmd", "-D", "-c", "-N", _host()]):
            stack.enter_context(_running(command, folder / f"{command[0]}.out"))
        _wait_until_idle(folder)
        yield


def _host() -> str:
    return socket.gethostname().split(".")[0]


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (one, other)]
    text = CONFIGURATION.format(
        folder=folder,
        host=_host(),
        controller=ports[0],
        daemon=ports[1],
        cores=os.cpu_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10,
    )
    (folder / "slurm.conf").write_text(text, encoding="utf-8")


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_idle(folder: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False
        )
        if found.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the cluster did not start: sinfo says {found.stdout or found.stderr}\n{logs}")
