"""The dialects: one module each, with a decoder, an encoder and the request's translation."""
