# Before the first job; not in dry runs, nor on a cluster's nodes. Snakemake has one such handler.
from dying_relu.files import locks
from dying_relu.paper import latex


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
