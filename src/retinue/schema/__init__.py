"""A user class with the models declared for it: what all statements are built from."""

from retinue.schema.declared import BY_TARGET, Schema, Timeline, follow_of, identity, schema_of

__all__ = ["BY_TARGET", "Schema", "Timeline", "follow_of", "identity", "schema_of"]
