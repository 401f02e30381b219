"""Freed memory is kept where the C library can."""

import platform

from liebig.hardware.allocator import keep_freed_pages


def test_glibc_keeps_what_is_freed() -> None:
    assert keep_freed_pages() == (platform.libc_ver()[0] == "glibc")
