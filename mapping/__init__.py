"""Translation between a system's values and the canonical ones: field maps, stage maps, normalisers. Pure."""
