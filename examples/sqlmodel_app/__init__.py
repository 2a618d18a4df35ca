"""A follow system on FastAPI and SQLModel: see README.md."""
