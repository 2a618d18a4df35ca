"""Code that is type-checked as users would write it."""
