"""
A small community whose people follow each other: an app made with Retinue, as anybody would make one.

It uses nothing of Retinue but the public names, and declares its models as any
application would. ``python -m retinue_demo`` starts it.
"""
