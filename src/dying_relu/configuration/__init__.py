"""The configuration of a study: one typed model, the file it is read from, and its reference.

``model``          the keys, their types, defaults and meaning
``architectures``  networks: their keys, their layers, their size
``optimisers``     rules of updates: their keys, and how they are made for a stack
``inputs``         what networks see of the images: changes of them, and their keys
``interventions``  what is done to networks in training besides the updates: their keys
``datasets``       what is known of a data set before it is loaded
``load``           a YAML file becomes a :class:`Configuration`, or an error that says what to change
``yaml``           the YAML in it, without what could run, or take time and memory
``consistency``    contradictions between keys that are valid by themselves
``messages``       errors in words that fit a terminal
``reference``      ``config/schema.json`` and the table of keys, generated from the model

``section``, ``choices`` and ``size`` are what the first six are made of.
"""

from dying_relu.configuration.architectures import CNN, MLP, Architecture, Layers, architecture
from dying_relu.configuration.datasets import IMAGE_SETS, ImageSet
from dying_relu.configuration.inputs import Images, Inputs, kind_of_inputs
from dying_relu.configuration.interventions import Intervention, intervention
from dying_relu.configuration.load import data_source, load, parse
from dying_relu.configuration.model import Activation, Configuration, DataSource, Experiment
from dying_relu.configuration.optimisers import SGD, Adam, Optimiser, optimiser
from dying_relu.configuration.size import Size

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
    "ImageSet",
    "Images",
    "Inputs",
    "Intervention",
    "Layers",
    "Optimiser",
    "Size",
    "architecture",
    "data_source",
    "intervention",
    "kind_of_inputs",
    "load",
    "optimiser",
    "parse",
]
