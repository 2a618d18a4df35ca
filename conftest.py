"""What the tests of the library and those of the demo share: see tests/fixtures.py and tests/environments.py."""

pytest_plugins = ["tests.fixtures", "tests.environments"]
