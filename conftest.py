"""What the tests of the library and those of the demo share: see tests/fixtures.py."""

pytest_plugins = ["tests.fixtures"]
