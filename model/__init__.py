"""The nouns that all parts share: frozen dataclasses and the ports to the outside, without any I/O."""
