"""Streams: the log of each one, the pump that fills it, the viewers that read it."""
