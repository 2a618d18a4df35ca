"""
The app that `retinue demo` starts: a small community whose people follow each other.

It uses nothing of Retinue but the public names, and declares its models as any
application would. Needs the packages of ``retinue[demo]``.
"""
