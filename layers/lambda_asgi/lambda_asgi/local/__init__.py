"""A function URL on this machine: what Lambda does around a function, for development."""
