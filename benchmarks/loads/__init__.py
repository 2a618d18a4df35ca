"""What is not a timed call: throughput, bulk work, space."""
