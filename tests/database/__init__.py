"""Promises, on every database engine."""
