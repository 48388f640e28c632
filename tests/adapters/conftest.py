"""Lightning and Transformers import torchvision."""

from dying_relu.adapters.torchvision_import import torchvision  # noqa: F401
