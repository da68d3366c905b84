"""What to do about a difference: match, merge, plan and guard decide, the engine carries it out."""
