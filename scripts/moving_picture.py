"""Record the moving picture of the README: ``python -m scripts.moving_picture OUT.gif``.

Needs a server with the demo model on http://127.0.0.1:8000 (or ``URL``), Chromium, and Pillow,
which is not one of the project's packages.
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

_URL = os.environ.get("URL", "http://127.0.0.1:8000")
_SIZE = (860, 600)
_QUESTION = "How does streaming from AWS Lambda work?"
_FRAME = 0.2
"""Seconds between two frames."""


_CAPTION = """() => {
  const caption = document.createElement("div");
  caption.textContent = "⟳ the page is reloaded";
  Object.assign(caption.style, {
    position: "fixed", bottom: "120px", left: "50%", padding: "12px 20px", borderRadius: "10px",
    background: "#111827", color: "#fff", font: "600 18px sans-serif", zIndex: 1000,
  });
  document.body.append(caption);
}"""
"""Shows a caption, which the reload removes."""


def record(page: Page) -> list[bytes]:
    """Return screenshots of an answer during which the page is reloaded."""
    frames: list[bytes] = []
    page.goto(_URL)
    _take(page, frames, 3)
    page.get_by_role("textbox").first.fill(_QUESTION)
    _take(page, frames, 3)
    page.keyboard.press("Enter")
    _take(page, frames, 14)
    page.evaluate(_CAPTION)
    _take(page, frames, 4)
    page.reload()
    _take(page, frames, 22)
    return frames


def _take(page: Page, frames: list[bytes], count: int) -> None:
    for _ in range(count):
        began = time.monotonic()
        frames.append(page.screenshot())
        page.wait_for_timeout(max(0, _FRAME - (time.monotonic() - began)) * 1000)


def write(frames: list[bytes], path: Path) -> None:
    """Write the frames as an animated GIF that starts again after two seconds."""
    images = [
        Image.open(io.BytesIO(frame)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        for frame in frames
    ]
    times = [int(_FRAME * 1000)] * (len(images) - 1) + [2000]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=times, loop=0, optimize=True
    )


def main() -> None:
    """Record, and write the file that the command line names."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": _SIZE[0], "height": _SIZE[1]})
        write(record(page), Path(sys.argv[1]))
        browser.close()


if __name__ == "__main__":
    main()
