"""The use cases, independent of any web framework: start, resume, cancel and meter a stream."""
