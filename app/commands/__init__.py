"""One module per command: its options, and what it does. Everything heavy is imported when the command runs."""
