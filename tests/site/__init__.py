"""The documentation site, built as `python3 dev.py docs` builds it: strictness, what its pages ask for, its search."""
