"""The Django application around the peers: it has posts."""
