"""Home timelines: searched for, or materialized and kept."""
