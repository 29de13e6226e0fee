"""``python -m tokenwire``, and the command ``tokenwire``."""

from __future__ import annotations

import sys

_EXTRA = {"click", "httptools", "lambda_asgi", "uvicorn"}


def main() -> None:
    """Run the command line.

    Lambda's artifact has none of the packages that it needs, and so does an installation
    without the extra ``server``.
    """
    try:
        from .cli.commands import run
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(
            f"tokenwire: {error.name} is not installed: pip install 'tokenwire[server]', or run "
            "uvx 'tokenwire[server]'"
        )
    run()


if __name__ == "__main__":
    main()
