"""Clients of other authors with tokenwire and every provider kind.

``programs/`` holds what the users of each SDK and framework write. ``aimock`` is the provider:
a mock server made by others, with OpenAI's, Anthropic's, Gemini's and Bedrock's protocols.
"""
