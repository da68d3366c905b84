"""Running as a service: when a workspace is due, its runs without a terminal, and how the service tells how it is."""
