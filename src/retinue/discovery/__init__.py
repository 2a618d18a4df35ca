"""Whom to follow."""
