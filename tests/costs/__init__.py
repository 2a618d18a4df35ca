"""How many statements each call takes: `table.py` is the table of it all, and every number in it is counted."""
