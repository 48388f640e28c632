"""The commands of ``dying-relu``, a module each group.

Each only hands its arguments to a function of the package. Imports stand inside the commands, so that planning does not
wait for torch, and so that the probe runs without the packages that only the study needs.
"""
