"""The inner loops of decoding: arrays and numbers in, arrays and numbers out."""

from keepclear.kernel_cache import install

install()
