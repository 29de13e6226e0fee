"""Static files: the page, the API reference, and ``tokenwire.js``."""
