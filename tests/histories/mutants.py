"""The seeded bugs: what a careful programmer might have got wrong here, each of which histories must find."""

from __future__ import annotations

from mutants_of_decisions import DECISIONS
from mutants_of_reads import READS
from mutants_of_writes import WRITES

MUTANTS = (*WRITES, *READS, *DECISIONS)
