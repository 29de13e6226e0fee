"""Stores: the contract for streams that outlive a process, and its implementations."""
