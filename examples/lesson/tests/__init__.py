"""The lesson's app, in its shell and in a browser without JavaScript."""
