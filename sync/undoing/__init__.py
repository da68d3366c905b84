"""The way back from a run."""
