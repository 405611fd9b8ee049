"""Ask the C library to keep freed memory for the next chunk. Knows nothing of models."""

import ctypes
from functools import cache

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_KEEP_BYTES = 1 << 30


@cache
def keep_freed_memory() -> bool:
    """Stop glibc from handing blocks of up to 1 GiB back to the kernel when they are freed.

    A forward pass frees and takes the same megabytes many times a layer; taken from the kernel each time,
    they come page by page and filled with zeros, which took up to a fifth of the whole time. The process
    keeps what its largest chunk needed. Returns whether the C library understood.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all(mallopt(what, _KEEP_BYTES) == 1 for what in (_TRIM_THRESHOLD, _MMAP_THRESHOLD))
