"""What the README claims, measured: tokenwire, the loop everyone writes first, and nginx."""
