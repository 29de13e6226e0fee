"""The function on a developer's machine as it is deployed: with a store, and the stack's limits."""
