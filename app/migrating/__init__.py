"""`stagesync migrate`: the phases of a migration, each a command that can be broken off and started again."""
