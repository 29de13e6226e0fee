"""OpenAI and compatible servers: the Chat Completions API."""
