"""A bar chart as SVG, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

_WIDTH, _ROW, _LEFT, _RIGHT = 760, 34, 130, 90
_STYLE = """
    svg { --paper: #fbfaf8; --ink: #1d2125; --soft: #59626b; --bar: #9db4c0; --own: #0f766e; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #14171a; --ink: #e7e9ea; --soft: #a5aeb6; --bar: #4b6472; --own: #2dd4bf; }
    }
    text { font: 14px system-ui, -apple-system, "DejaVu Sans", sans-serif; fill: var(--ink); }
    .note { font-size: 13px; fill: var(--soft); } .end { text-anchor: end; }
    .page { fill: var(--paper); } .bar { fill: var(--bar); } .own { fill: var(--own); }
"""


def bars(title: str, note: str, values: Mapping[str, float], own: str) -> str:
    """Return a chart with one bar for each value, on a logarithmic scale; ``own`` stands out."""
    height = 76 + _ROW * len(values)
    described = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"  <title>{escape(title)}</title>",
        f"  <desc>{escape(described)}</desc>",
        f"  <style>{_STYLE}  </style>",
        f'  <rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>',
        f'  <text x="20" y="30">{escape(title)}</text>',
        f'  <text class="note" x="20" y="50">{escape(note)}</text>',
    ]
    least = min(values.values(), default=1) / 2
    span = math.log(max(values.values(), default=1) / least) or 1
    for at, (name, value) in enumerate(values.items()):
        width = max(2, math.log(value / least) / span * (_WIDTH - _LEFT - _RIGHT))
        top = 66 + at * _ROW
        kind = "own" if name == own else "bar"
        size = f'width="{width:.0f}" height="24"'
        parts += [
            f'  <text class="end" x="{_LEFT - 10}" y="{top + 17}">{escape(name)}</text>',
            f'  <rect class="{kind}" x="{_LEFT}" y="{top}" {size} rx="3"/>',
            f'  <text x="{_LEFT + width + 8:.0f}" y="{top + 17}">{value:.3g}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
