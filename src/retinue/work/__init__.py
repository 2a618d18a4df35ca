"""The caller's session with its connection, engine and schema; how a statement is built, prepared and run."""

from retinue.work.work import Build, Pair, Work, async_session_of, edge_parameters, session_of

__all__ = ["Build", "Pair", "Work", "async_session_of", "edge_parameters", "session_of"]
