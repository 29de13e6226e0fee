"""Where settings are written: ``.env``, ``tokenwire.toml``, and durations in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from .errors import bad_setting

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with the variables that ``.env`` in ``folder`` adds.

    The real environment wins. ``$NAME`` in a value is not replaced: a key may hold a ``$``.

    Raises:
        ProxyError: The file cannot be read (``bad_setting``).
    """
    file = folder / ".env"
    if not file.is_file():
        return dict(environ)
    from dotenv import dotenv_values  # only where there is a file, which is never on Lambda

    pairs = dotenv_values(stream=StringIO(_text(file)), interpolate=False)
    return {name: value for name, value in pairs.items() if value is not None} | dict(environ)


def of_file(named: str, folder: Path) -> dict[str, Any]:
    """Return what a configuration file contains; nothing if there is none.

    Args:
        named: Its path, as ``TOKENWIRE_CONFIG``; empty for ``tokenwire.toml`` in the folder.
        folder: The working directory.

    Raises:
        ProxyError: It cannot be read, or is not TOML (``bad_setting``).
    """
    file = Path(named) if named else folder / "tokenwire.toml"
    if not named and not file.is_file():
        return {}
    return parsed(_text(file), str(file))


def parsed(text: str, where: str) -> dict[str, Any]:
    """Return what a TOML document contains.

    Args:
        text: The document.
        where: Its name, for the message.

    Raises:
        ProxyError: It is not TOML (``bad_setting``).
    """
    import tomllib  # only where there is a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise bad_setting(f"{where} is not TOML: {error}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise bad_setting(f"TOKENWIRE_CONFIG names {file}, which does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise bad_setting(f"{file} cannot be read ({type(error).__name__})") from None


def seconds(text: str) -> float | str:
    """Return the seconds of a duration such as ``250ms`` or ``5m``; any other text as it is."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2]] if match else text
