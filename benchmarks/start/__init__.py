"""Small functions whose cold starts are measured."""
