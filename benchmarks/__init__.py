"""Retinue beside its peers and the floor: python3 dev.py bench."""
