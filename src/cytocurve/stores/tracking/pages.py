"""Searches in MLflow, page by page."""

from collections.abc import Callable, Iterator
from typing import Any


def all_pages(search: Callable[..., Any]) -> Iterator[Any]:
    """The results on all pages of a search, which is called with ``page_token``."""
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
