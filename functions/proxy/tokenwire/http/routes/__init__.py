"""One module per family of routes: parse the request, call the gateway, render the response."""
