"""What one party's node does: writes its own log, takes the others', answers them, and keeps what proves a fork."""
