"""What the systems show: read, and written down as seen."""
