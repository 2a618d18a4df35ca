"""What changes the graph: follow, requests, blocks, mutes; and what time ends."""
