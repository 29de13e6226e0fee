"""Tests with software of other authors: suites, mock servers and clients (``make judges``)."""
