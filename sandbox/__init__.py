"""Two unfriendly worlds, HubSpot-like and Salesforce-like, for the demo, tests and benchmarks.

The sandbox is the outside world: it imports nothing of stagesync, and stagesync reaches it only over the vendors' own wire formats.
"""
