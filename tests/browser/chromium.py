"""The browser, started the same way wherever a test needs one."""

from playwright.async_api import Browser, Playwright

from tools import browser


async def launch(playwright: Playwright) -> Browser:
    """Start Chromium: the machine's, or Playwright's own; without either the test fails with the remedy."""
    program = browser.program(playwright.chromium.executable_path)
    return await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
