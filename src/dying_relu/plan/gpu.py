"""The meaning of a study's `device`, as far as it can be told without PyTorch."""

AUTO = "cpu"
"""The device that `auto` means, until all parts of ``benchmarks/gpu.sh`` have passed on a GPU."""


def is_gpu(name: str) -> bool:
    """Tell if the device called ``name`` in a study is a GPU.

    >>> is_gpu("cuda"), is_gpu("auto")
    (True, False)
    """
    return (AUTO if name == "auto" else name) != "cpu"
