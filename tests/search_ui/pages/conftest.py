"""One browser for all pages, whose windows find the scripts that the first one loaded."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.search_ui.browser import chromium, fresh_context, opened
from tests.search_ui.conftest import Studio


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    with fresh_context(browser, url) as context:
        yield context


@pytest.fixture(scope="package")
def studio_context(browser: Browser, studio: Studio) -> Iterator[BrowserContext]:
    with fresh_context(browser, studio.url) as context:
        yield context


@pytest.fixture(scope="package")
def chinese_context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    with fresh_context(browser, url, locale="zh-CN") as context:
        yield context


@pytest.fixture
def studio_page(studio_context: BrowserContext, studio: Studio) -> Iterator[Page]:
    """A window of the library for watching."""
    with opened(studio_context, studio.url) as page:
        yield page


@pytest.fixture
def chinese_page(chinese_context: BrowserContext, url: str) -> Iterator[Page]:
    with opened(chinese_context, url) as page:
        yield page
