"""Writes the sources of the documentation site: ``python -m scripts.site FOLDER``."""
