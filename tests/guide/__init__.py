"""Apps that the guide moves, with people in them."""
