"""The streams of one process: log tail, pump, viewers, and the keeper and feed of a store."""
