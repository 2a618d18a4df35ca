"""
Expected failures: what is known to be wrong today, each as a test of what is right.

A test here shows one instance of a kind, and its mark says the letter and the name of the kind. The mark
stands for exactly the engines on which the test fails, and is strict: one that passes is an error. Whoever mends a kind
takes its marks away, and moves its tests to those of the subject. Nothing else belongs here: no test that is new and
red, and none that a change has broken.
"""
