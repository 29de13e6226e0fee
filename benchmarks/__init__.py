"""Measurements for the README: tokenwire, a loop over the SDK's typed chunks, and nginx."""
