"""How things stand, read from the state: health, queues, overdue answers, what was refused and what helps."""
