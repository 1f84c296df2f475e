"""A node's side of the channel: its store, keys, folder and lines."""
