"""The one exception this package raises for mistakes a person can mend."""


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
        said = "; ".join(detail for detail in details if detail)
        super().__init__(f"{what}: {said}" if said else what)


def cannot_write(where: object, error: OSError) -> DyingReluError:
    """What to say when a file or folder cannot be written.

    >>> print(cannot_write("results/a.csv", OSError(28, "No space left on device")))
    cannot write results/a.csv: found No space left on device; free some space or make the folder writable, then run again
    """
    return DyingReluError(
        f"cannot write {where}",
        found=error.strerror or str(error),
        remedy="free some space or make the folder writable, then run again",
    )
