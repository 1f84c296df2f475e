"""The exported record: what a node writes of a channel, and what anybody proves from it offline, without a node."""
