"""What follows from a change: counts, history, notifications, timelines, events."""
