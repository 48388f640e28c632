"""What to say when the machine, not the program, is at fault: a full disk, a folder that cannot be written, no memory."""

import errno

from dying_relu.errors import DyingReluError, cannot_write

_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}
_NO_MEMORY = ("can't allocate memory", "out of memory", "Cannot allocate memory", "bad_alloc")


def explained(error: BaseException) -> DyingReluError | None:
    """``error`` in words that say what to do, or None if it is not the machine's.

    >>> print(explained(OSError(errno.ENOSPC, "No space left on device", "results/a.csv")))
    cannot write results/a.csv: found No space left on device; free some space or make the folder writable, then run again
    >>> explained(ZeroDivisionError()) is None
    True
    """
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
        return DyingReluError(
            "out of memory",
            found=str(error).splitlines()[0] if str(error) else "",
            remedy="run fewer jobs at once (snakemake --cores), or lower memory_limit in the study's file",
        )
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        return cannot_write(error.filename or "a file", error)
    if isinstance(error, OSError) and error.errno in _NOT_ALLOWED:
        # Whether it was to be read or to be written the system does not say.
        return DyingReluError(
            f"no permission for {error.filename or 'a file'}",
            found=error.strerror or str(error),
            remedy="make it readable, and its folder writable, then run again",
        )
    return None
