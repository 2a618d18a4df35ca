"""The adapter for FastAPI, on applications as somebody would write them."""
