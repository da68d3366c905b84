"""A migration: everybody is moved from one system to another, in phases that can each be broken off and taken up again."""
