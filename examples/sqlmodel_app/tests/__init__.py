"""The application as its clients see it: over HTTP, on SQLite and PostgreSQL."""
