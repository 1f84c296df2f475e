"""What the DSS keeps, and how one is spoken to."""
