"""Bases and user models of other packages, each as its own documentation writes it."""
