"""ASGI on AWS Lambda with response streaming."""
