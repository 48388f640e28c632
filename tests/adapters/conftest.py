"""Lightning and Transformers import torchvision."""

from dying_relu.torchvision_import import torchvision  # noqa: F401
