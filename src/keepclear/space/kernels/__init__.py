"""Compiled kernels of :mod:`keepclear.space`: arrays and numbers in, arrays and numbers out."""
