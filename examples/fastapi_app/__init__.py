"""A small social network as a JSON API: FastAPI, async SQLAlchemy, tokens. `main` puts it together."""
