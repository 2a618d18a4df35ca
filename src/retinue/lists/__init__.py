"""A page of anything."""
