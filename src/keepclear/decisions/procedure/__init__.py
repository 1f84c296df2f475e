"""What the logs show: where each proposal and application stands, and what follows."""
