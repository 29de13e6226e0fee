"""The HTTP surface: one module per family of routes, and the one response for streams."""
