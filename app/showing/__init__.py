"""The sandbox started for somebody, and the demo that plays on it."""
