"""The inner loops of track keeping: arrays and numbers in, arrays and numbers out."""

from keepclear.kernel_cache import install

install()
