"""The heart: funnels, allowed moves, authority, passes and the decision of a person's stage. Pure."""
