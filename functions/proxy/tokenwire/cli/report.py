"""Print findings, one a line."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ..configuration import wants_color
from .findings import Finding


def report(findings: Iterable[Finding]) -> bool:
    """Print findings; return whether all are as they should be.

    Colours are for terminals only, and not where ``NO_COLOR`` is set.
    """
    are_good = True
    color = None if wants_color() else False
    for finding in findings:
        mark = click.style("bad", fg="red") if finding.cure else click.style("ok ", fg="green")
        click.echo(f"{mark} {finding.subject}: {finding.detail}", color=color)
        if finding.cure:
            click.echo(f"      {finding.cure}", color=color)
            are_good = False
    return are_good
