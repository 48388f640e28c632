"""Keep freed memory instead of handing it back to the operating system after every operation, and in large pages.

A training step frees and asks for the same few megabytes again and again. glibc returns such blocks to the kernel, which hands them
out anew page by page, zeroed; on small networks that is a fifth of the time. Large pages save another one or two hundredths.
"""

import ctypes
import os

# From glibc's malloc.h; 32 MiB is the largest threshold it accepts.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
SETTINGS = {M_MMAP_THRESHOLD: 32 * 2**20, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 * 2**20}


def keep_freed_memory() -> bool:
    """Ask the C library to keep what is freed, for the rest of this process, and PyTorch to take large pages.

    To be called before the first tensor is made, because PyTorch asks only then.

    Returns:
        Whether it agreed; False where the C library is not glibc, and then nothing changes.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):
        return False
    return all(mallopt(option, value) == 1 for option, value in SETTINGS.items())
