"""Tests of Retinue: `python3 dev.py test`."""
