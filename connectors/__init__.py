"""How to talk to each system: the contract, the registry and one package per vendor."""
