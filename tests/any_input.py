"""Input that could stand in any file: structures, damaged bytes, and the check that it is read or refused."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dying_relu.errors import DyingReluError

quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused_or_read(read: Callable[[Any], object], given_: Any) -> None:
    """Any other exception than ours fails the test; ours must be a message, not a traceback."""
    try:
        read(given_)
    except DyingReluError as error:
        message = str(error)
    else:
        return
    assert 0 < len(message) < 5000
    assert "Traceback" not in message


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
)
structures = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The content cut, or with some of its bytes replaced."""
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)

    def applied(parts: tuple[list[tuple[int, int]], int]) -> bytes:
        result = bytearray(content)
        for position, byte in parts[0]:
            result[position] = byte
        return bytes(result[: parts[1]])

    return st.tuples(changes, st.integers(0, len(content))).map(applied)
