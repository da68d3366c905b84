"""What shall be, for one person: whose record is this, what each field says from now on, which stage, and what that leaves to write. Pure."""
