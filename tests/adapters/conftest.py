"""Lightning and Transformers import torchvision."""

from dying_relu.data.torchvision_import import torchvision  # noqa: F401
