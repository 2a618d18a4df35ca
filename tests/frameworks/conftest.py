"""What can be collected here."""

from importlib.util import find_spec

# FastAPI-Users takes no newer SQLAlchemy than 2.0, and is in that environment alone: `dev.py test --sqlalchemy 2.0`.
collect_ignore = [] if find_spec("fastapi_users") else ["test_fastapi_users.py"]
