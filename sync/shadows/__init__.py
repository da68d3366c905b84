"""Beside another tool that does the work: what we would have written, and what the other wrote."""
