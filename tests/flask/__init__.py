"""Retinue in Flask applications."""
