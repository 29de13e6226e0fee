"""Typed stand-ins for what lies outside: a provider, a browser's network, a clock."""
