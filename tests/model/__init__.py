"""A model checker of the store protocol: every interleaving, up to bounds, with faults."""
