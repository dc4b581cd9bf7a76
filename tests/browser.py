"""A real browser for the tests, as patient as they are."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.waiting import PATIENCE

MILLISECONDS = PATIENCE * 1000
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first does the same without a window's machinery, for three quarters of the processor."""
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


@contextmanager
def launched() -> Iterator[Browser]:
    """What is expected of its pages may take `PATIENCE` to come true."""
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=OPTIONS, timeout=MILLISECONDS)
        yield browser
        browser.close()


def context(browser: Browser, **options: Any) -> BrowserContext:
    """Cookies and pages of their own."""
    made = browser.new_context(**options)
    made.set_default_timeout(MILLISECONDS)
    return made
