"""The benchmark itself is right: its graphs, its report."""
