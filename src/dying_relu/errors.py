"""The one exception of this package, and its messages for a full disk, a read-only folder or too little memory."""

import errno


class DyingReluError(Exception):
    """Bad input, a missing file, a failed check: something outside the code is wrong.

    The message is written for the person who has to act on it: what is wrong and where, what was found, what was
    expected, what to do. The command line prints it as ``error: ...`` without a traceback and exits with 1.

    >>> raise DyingReluError("unknown activation", found="'rleu'", expected="one of relu, tanh")
    Traceback (most recent call last):
    dying_relu.errors.DyingReluError: unknown activation: found 'rleu'; expected one of relu, tanh
    """

    def __init__(self, what: str, *, found: str = "", expected: str = "", remedy: str = "") -> None:
        details = [f"found {found}" if found else "", f"expected {expected}" if expected else "", remedy]
        explanation = "; ".join(detail for detail in details if detail)
        super().__init__(f"{what}: {explanation}" if explanation else what)


def cannot_write(path: object, error: OSError) -> DyingReluError:
    """Put into words that a file or folder cannot be written.

    Args:
        path: of the file or folder.
        error: of the system.

    >>> print(cannot_write("results/a.csv", OSError(28, "No space left on device")))
    cannot write results/a.csv: found No space left on device; free some space or make the folder writable, then run again
    """
    return DyingReluError(
        f"cannot write {path}",
        found=error.strerror or str(error),
        remedy="free some space or make the folder writable, then run again",
    )


def missing_package(what: str, extra: str) -> DyingReluError:
    """Say how to install a package that an extra of this one brings along. (It is not published: a clone or a wheel is needed.)

    Args:
        what: is missing, in words.
        extra: in ``pyproject.toml``.

    >>> print(missing_package("matplotlib is not installed", "plot"))
    matplotlib is not installed: run `pip install ".[plot]"` in a clone, or with a wheel for the dot
    """
    return DyingReluError(
        what,
        remedy=f'run `pip install ".[{extra}]"` in a clone, or with a wheel for the dot',
    )


_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}
_NO_MEMORY = ("can't allocate memory", "out of memory", "Cannot allocate memory", "bad_alloc")


def explained(error: BaseException) -> DyingReluError | None:
    """Put an error of the machine into words that say what to do; None if it is not the machine's.

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
