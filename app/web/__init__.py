"""What the program answers on the network: posts of systems that tell us by themselves."""
