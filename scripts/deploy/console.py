"""Questions and answers: with a person at a terminal, or without one."""

from __future__ import annotations

import getpass
import sys
from typing import Protocol

from .errors import DeployError


class Console(Protocol):
    """Who answers."""

    interactive: bool

    def say(self, text: str = "") -> None:
        """Print a line."""

    def ask(self, question: str, default: str = "") -> str:
        """Return an answer in one line; the default if it is empty."""

    def ask_secret(self, question: str) -> str:
        """Return an answer that is not displayed; empty if there is none."""


class Terminal:
    """A person."""

    interactive = True

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)

    def ask(self, question: str, default: str = "") -> str:
        """Ask in one line.

        Raises:
            DeployError: The terminal was closed.
        """
        hint = f" [{default}]" if default else ""
        try:
            return input(f"{question}{hint}: ").strip() or default
        except EOFError:
            raise DeployError("The answer is missing: the input has ended.") from None

    def ask_secret(self, question: str) -> str:
        """Ask without echo: what is typed is in no history, no argument and no variable."""
        return getpass.getpass(f"{question}: ").strip()


class Unattended(Terminal):
    """No person: every answer is the default."""

    interactive = False

    def ask(self, question: str, default: str = "") -> str:
        """Return the default."""
        return default

    def ask_secret(self, question: str) -> str:
        """Return no answer."""
        return ""


def console(*, unattended: bool) -> Console:
    """Return the console: unattended if wanted, or if no terminal is there."""
    return Unattended() if unattended or not sys.stdin.isatty() else Terminal()
