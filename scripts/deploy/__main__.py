"""``python -m scripts.deploy``: the command behind ``make deploy``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .console import console
from .conversation import Conversation
from .errors import DeployError
from .options import parser
from .sam import SAM


def main(command: Sequence[str] = SAM) -> None:
    """Run the conversation; an error is one line.

    Args:
        command: The SAM CLI.
    """
    options = parser().parse_args()
    unattended = options.yes or options.keys_stdin
    try:
        Conversation(options, console(unattended=unattended), os.environ, command).run()
    except DeployError as error:
        sys.exit(f"make deploy: {error}")
    except KeyboardInterrupt:
        sys.exit("\nmake deploy: interrupted.")


if __name__ == "__main__":
    main()
