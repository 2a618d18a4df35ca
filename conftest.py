"""What the tests of the library and those of the demo share: see tests/databases.py."""

pytest_plugins = ["tests.databases"]
