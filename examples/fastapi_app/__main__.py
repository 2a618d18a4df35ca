"""Start the application on http://127.0.0.1:8000: ``python -m examples.fastapi_app``, with uvicorn's own options."""

import sys

import uvicorn

uvicorn.main(["examples.fastapi_app.main:app", *sys.argv[1:]])
