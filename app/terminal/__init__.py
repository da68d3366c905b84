"""How the program speaks and listens where somebody sits before it, or a log does: output, progress, Ctrl-C, exit codes."""
