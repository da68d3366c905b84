"""From people who are to be looked at to a stored plan, and what a changed configuration would make of them."""
