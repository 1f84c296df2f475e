"""Compiled parts of the DSS: arrays and numbers only."""

from keepclear.kernel_cache import install

install()
