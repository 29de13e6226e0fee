"""One module per family of routes: parse the request, call the gateway, render the response.

``plain`` has the routes without parameters, ``parametric`` those whose parameters FastAPI reads.
"""
