"""A USS at the edge: what it keeps, and what it publishes."""
