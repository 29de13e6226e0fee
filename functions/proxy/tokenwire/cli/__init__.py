"""The command ``tokenwire``: one module per verb."""
