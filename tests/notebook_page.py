"""A notebook as a page in Chromium, without a connection."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NBCONVERT = "https://cdnjs.cloudflare.com/"
"""From here nbconvert's own page would load what it sets formulas with, whether there are any or not."""


@contextmanager
def opened(notebook: nbformat.NotebookNode, folder: Path, width: int) -> Iterator[Any]:
    """A window of a width in pixels that shows a notebook; what it asks of the network, or complains of, fails the test."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = folder / "notebook.html"
    file.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: faults.append(request.url) if _is_foreign(request.url) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(file.as_uri())
        yield page
        browser.close()
    assert faults == []


def _is_foreign(address: str) -> bool:
    return address.startswith("http") and not address.startswith(NBCONVERT)
