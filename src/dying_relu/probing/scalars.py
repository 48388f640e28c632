"""A measurement as the scalars that every logger takes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def scalars(measurement: "pd.DataFrame") -> dict[str, float]:
    """The dead share of each layer, ``dead/<layer>``, and that of all units, ``dead_fraction``.

    Args:
        measurement: the rows of one step of a Monitor's history.

    >>> import pandas as pd
    >>> scalars(pd.DataFrame({"layer": ["1", "3"], "units": [4, 6], "dead": [1, 4]}))
    {'dead/1': 0.25, 'dead/3': 0.6666666666666666, 'dead_fraction': 0.5}
    """
    shares = measurement["dead"] / measurement["units"]
    layers = {
        f"dead/{layer}": float(share) for layer, share in zip(measurement["layer"], shares, strict=True)
    }
    return layers | {"dead_fraction": float(measurement["dead"].sum() / measurement["units"].sum())}
