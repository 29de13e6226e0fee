"""Google Gemini: the native API."""
