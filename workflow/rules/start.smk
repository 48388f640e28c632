# Before the first job and after the last; not in dry runs, nor on a cluster's nodes. Snakemake has one such handler of each.
from dying_relu.commands.warm import start
from dying_relu.files import locks
from dying_relu.paper import ending, latex


onstart:
    # Snakemake's own locks (off: `nolock` in the profiles) outlive it when it is killed, and have to be deleted by hand.
    # This one is the system's and ends with the process, however it ends.
    if not locks.hold(Path(".snakemake/running.lock")):
        raise WorkflowError(
            f"Directory cannot be locked: another Snakemake is at work in {Path.cwd()}. Wait until it is done, or stop it."
        )
    # LaTeX is needed last; that it is missing should not show after all the training.
    if any(job.rule.name == "typeset" for job in workflow.dag.needrun_jobs()):
        try:
            latex.check(Path("paper"))
        except DyingReluError as error:
            raise WorkflowError(str(error))
    # Jobs on this machine fork from one process that has imported everything. (A process that uses a GPU must not fork.)
    if workflow.local_exec and not is_gpu(STUDY.configuration.device):
        start.start()


onsuccess:
    made = {job.rule.name for job in workflow.dag.jobs}
    option = f"--configfile {CONFIG}" if workflow.configfiles else ""
    if words := ending.summary(Path(f"results/{STUDY.name}"), made, option):
        print(words, file=sys.stderr)
