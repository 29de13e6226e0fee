"""The HTTP edge: middleware, dependencies, error responses and the streaming ASGI response."""
