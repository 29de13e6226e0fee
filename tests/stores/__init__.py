"""Stores: one contract, held against each of them, and what is built on it."""
