"""The table of what is measured otherwise than call by call."""

from __future__ import annotations

from benchmarks.databases import ENGINES
from benchmarks.loads import bulk, deletion, footprint, mixes, storage, storm, timelines
from benchmarks.loads.load import Load

_EACH_A_PROCESS = " Each connection is a process, all on one core. Counters are compared with the edges at the end."
_MIX_NOTE = "The floor does the same by the best SQL by hand, on tables of its own." + _EACH_A_PROCESS
_STORM_NOTE = "The floor is a plain session of SQLAlchemy's that sends the same statements." + _EACH_A_PROCESS
_SERVERS = ("postgresql", "mariadb")

# fmt: off
LOADS = (
    Load("bulk", "bulk import, rows a second", bulk.measure, {"sqlite": 1.0, "postgresql": 0.8, "mariadb": 0.8},
         throughput=True,
         note="Into the same table, with its keys, indexes and foreign keys. The floor only inserts what is in memory, by"
         " the engine's own bulk path; the import reads a file, checks every row and keeps the counts."),
    Load("deletion", "delete the user with the most followers", deletion.measure, dict.fromkeys(ENGINES, 1.3), long=True,
         note="Each on its own tables, in a new copy each time. The counts of all who remain are compared with the edges"
         " after each deletion."),
    Load("footprint", "import retinue", footprint.importing, long=True, once=True,
         note="In a fresh process each time. The floor is `import sqlalchemy.orm`, which Retinue imports too."),
    Load("footprint", "memory of a page of 20 followers", footprint.page, unit="bytes", long=True, once=True,
         note="What is held while the page is: of Retinue users of the session, of the floor tuples of the bare driver."),
    Load("linkbench", "LinkBench's mix of link operations, 8 connections", mixes.linkbench,
         throughput=True, note=_MIX_NOTE, long=True, crowded=True),
    Load("posting", "post by the user with the most followers", timelines.posting, long=True,
         note="With home timelines that are kept ready; the floor only inserts the post. Sending it to the timelines is"
         " left to a worker; pages show it at once."),
    Load("storage", "storage of an edge", storage.measure, dict.fromkeys(ENGINES, 1.2), unit="bytes", long=True,
         note="Bytes for each edge, with all indexes, after both tables were packed anew. The floor offers the same lists"
         " in the same order."),
    Load("storm", "16 connections following one celebrity, 16 slots", storm.sixteen_slots, dict.fromkeys(_SERVERS, 0.9),
         throughput=True, crowded=True, long=True, note=_STORM_NOTE),
    Load("storm", "16 connections following one celebrity, one slot", storm.one_slot, dict.fromkeys(_SERVERS, 0.9),
         throughput=True, crowded=True, long=True, note=_STORM_NOTE),
    Load("tao", "TAO's mix of operations on edges (99.8% reads), 8 connections", mixes.tao, {"postgresql": 0.55},
         throughput=True, crowded=True,
         note="The floor is the bare driver with Retinue's own statements, on its tables." + _EACH_A_PROCESS),
    Load("timelines", "page of a home timeline that is kept ready", timelines.page, long=True,
         note="The floor trusts what is kept; Retinue looks whether it is still all there is."),
    Load("timelines", "post, and send it to the timelines of followers", timelines.sending, long=True,
         note="The floor in one transaction of two statements; Retinue by its worker, which may be cut off at any moment"
         " and goes on."),
)
# fmt: on
