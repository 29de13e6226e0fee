"""The documentation site, as ``make docs`` builds it."""
