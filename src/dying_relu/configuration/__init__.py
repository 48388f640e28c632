"""The configuration of a study: one typed model, the file it is read from, and its reference.

``model``        the keys, their types, defaults and meaning
``reading``      a YAML file becomes a :class:`Configuration`, or an error that says what to change
``document``     the YAML in it, without what could run, or take time and memory
``consistency``  what no key can know alone
``problems``     what is said when something is wrong
``reference``    ``config/schema.json`` and the table of keys, generated from the model
"""

from dying_relu.configuration.load import data_source, load, parse
from dying_relu.configuration.model import (
    CNN,
    IMAGE_SETS,
    MLP,
    SGD,
    Activation,
    Adam,
    Architecture,
    Configuration,
    DataSource,
    Experiment,
    Optimiser,
)

__all__ = [
    "CNN",
    "IMAGE_SETS",
    "MLP",
    "SGD",
    "Activation",
    "Adam",
    "Architecture",
    "Configuration",
    "DataSource",
    "Experiment",
    "Optimiser",
    "data_source",
    "load",
    "parse",
]
