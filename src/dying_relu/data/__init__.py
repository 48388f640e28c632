"""Named data sets as checked tensors.

``fetch``               a name becomes a file in the cache, from the first source that has it: :func:`fetch`
``dataset``             that file, and how a job gets float tensors from it: :class:`Dataset`, :func:`load`
``originals``           where each data set was published, and the sums by which it is recognised, whatever the source
``sources``             a folder, torchvision's download, npm
``decode``              files to arrays
``torchvision_import``  torchvision beside a CPU-only torch

The data sets are not part of this repository; their own terms are in ``DATA.md``.
"""

from dying_relu.data.dataset import Dataset, load
from dying_relu.data.fetch import fetch

__all__ = ["Dataset", "fetch", "load"]
