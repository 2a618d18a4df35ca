"""The lesson's follow system, in one file: `app`."""
