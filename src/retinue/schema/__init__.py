"""A user class with its models: statements are built from it."""

from retinue.schema.declared import BY_TARGET, Schema, Timeline, follow_of, identity, schema_of

__all__ = ["BY_TARGET", "Schema", "Timeline", "follow_of", "identity", "schema_of"]
