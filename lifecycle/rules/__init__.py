"""Qualification: a company's own rules, read whole and compiled once, and what they say of a person. Pure."""
