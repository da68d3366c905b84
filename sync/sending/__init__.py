"""The approved plan carried out: committed, sent, settled, and what came of each write."""
