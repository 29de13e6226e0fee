"""tokenwire: any LLM's token stream, to any browser, from your own AWS account."""

__version__ = "0.2.0"
