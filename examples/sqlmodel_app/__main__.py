"""Start the application on http://127.0.0.1:8000: ``python -m examples.sqlmodel_app``, with uvicorn's own options."""

import sys

import uvicorn

uvicorn.main(["examples.sqlmodel_app.main:app", *sys.argv[1:]])
