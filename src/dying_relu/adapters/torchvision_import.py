"""Import torchvision beside a CPU-only torch.

torchvision's wheel is built against a CUDA torch. Beside a CPU-only torch its compiled operators don't load, and `import
torchvision` fails where it registers a fake implementation of two of them, ``torchvision::nms`` and
``torchvision::qnms``. Declaring their schemas first is enough for its data sets and transforms. Where torchvision loads by
itself, nothing is declared.

    from dying_relu.adapters.torchvision_import import torchvision
"""

import sys

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    _declared = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        _declared.define(schema)
    import torchvision

__all__ = ["torchvision"]
