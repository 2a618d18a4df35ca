"""Types of keys as applications declare them: what stands in Python is not what stands in the database."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CHAR, Integer, TypeDecorator
from sqlalchemy.dialects import postgresql


class PortableUuid(TypeDecorator[uuid.UUID]):
    """A UUID as applications have declared one since before SQLAlchemy could."""

    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        native = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.UUID() if native else CHAR(32))

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        value = value if isinstance(value, uuid.UUID) else uuid.UUID(value)
        return value if dialect.name == "postgresql" else value.hex

    def process_result_value(self, value: Any, dialect: Any) -> Any:  # noqa: ARG002 - SQLAlchemy's interface
        return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


class HexUuid(TypeDecorator[uuid.UUID]):
    """A UUID kept as 32 letters and digits, which takes nothing else."""

    impl = CHAR(32)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:  # noqa: ARG002 - see above
        return str(value.hex)

    def process_result_value(self, value: Any, dialect: Any) -> uuid.UUID:  # noqa: ARG002 - see above
        return uuid.UUID(value)


class Prefixed(TypeDecorator[str]):
    """Text outside, a number within."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> int:  # noqa: ARG002 - see above
        return int(value.removeprefix("user_"))

    def process_result_value(self, value: Any, dialect: Any) -> str:  # noqa: ARG002 - see above
        return f"user_{value}"
