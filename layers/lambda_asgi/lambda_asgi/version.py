"""The layer's version: a constant, since artifacts hold no package metadata."""

VERSION = "0.1.0"
