"""A process that has imported everything, and forks for each command that a workflow calls.

Half of a small job is its start: Python, PyTorch, pandas, the compiled loops. On one machine, Snakemake starts such a process before its
first job (``workflow/rules/start.smk``), which the rules' commands ask to run them (:mod:`~dying_relu.commands.warm.client`). A command
that finds none, or one of another environment, runs by itself: on a cluster's nodes, in a terminal, on other systems than Linux.

For Snakemake nothing changes: it starts and waits for the command, whose output and exit status are those of the forked process. Who
kills the command kills that process; when Snakemake ends, however it ends, the warm process ends with its last fork.
"""
