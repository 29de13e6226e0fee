"""Amazon Bedrock: the Converse API and its OpenAI-compatible endpoint."""
