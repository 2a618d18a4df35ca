"""An application's life at a steady pace: whether memory, latency and counts stay as they are."""
