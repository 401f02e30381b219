"""How memory is kept between steps, and how much of it.

A training step allocates and frees the same large tensors thousands of times, and handing their pages back to the system each
time costs more than the arithmetic on them (measured on two cores, 16 networks of width 256 with batches of 1,024: a quarter
of the time of a step). oneDNN keeps a compiled product for every shape that it met, about 4 MB each: a study of a minute
meets hundreds, which came to 300 MB.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Final

# The names of glibc's malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
#: Compiled products that oneDNN keeps. A step of a usual network needs 7 to 15, and making one anew takes 0.2 ms.
_KEPT_PRODUCTS: Final = 24
#: Blocks up to this size are kept for reuse (glibc's largest threshold), and so much free memory at the end of the heap.
_KEPT_BLOCK: Final = 32 * 1024**2
_KEPT_TOTAL: Final = 128 * 1024**2


@cache
def keep_freed_pages() -> bool:
    """Ask glibc to keep freed blocks and oneDNN to keep fewer products, once for this process and before its first product
    in bfloat16. False where there is no glibc; then its part is left as it is."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(_KEPT_PRODUCTS))
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL("libc.so.6")
        blocks = library.mallopt(_MMAP_THRESHOLD, _KEPT_BLOCK)
        return bool(blocks and library.mallopt(_TRIM_THRESHOLD, _KEPT_TOTAL))
    except (OSError, AttributeError):  # another C library
        return False


def return_freed_pages() -> None:
    """Hand freed memory back to the system: between populations, where it costs milliseconds and nothing reuses it."""
    if keep_freed_pages():
        ctypes.CDLL("libc.so.6").malloc_trim(0)
