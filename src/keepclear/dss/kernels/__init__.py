"""Compiled parts of the DSS: arrays and numbers only."""
