"""What the user reads: each module shows one thing, as lines of text and as a JSON object."""
