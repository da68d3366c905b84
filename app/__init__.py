"""How somebody runs it: configuration, wiring, command line, scheduler and web."""
