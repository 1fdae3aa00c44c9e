"""A headless Chromium that opens report pages, and tells what they say to the console and ask the network for."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cytocurve.report.page import render
from tests.report.answers_makers import CLASSES, LONG, MANY, SMALL, answers_of, context_of, typed

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Opened:
    """A page as a reader has it, and what went wrong on it."""

    page: Page
    answers: dict[str, Any]
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def marks(self, chart: str) -> list[str]:
        """The form and place of everything that a chart draws, settled."""
        self.settle()
        paths = self.page.locator(f'[data-chart="{chart}"] .canvas svg path')
        form = "all => all.map(each => `${each.getAttribute('d')} ${each.getAttribute('transform')}`)"
        return [str(found) for found in paths.evaluate_all(form)]

    def settle(self) -> None:
        """Wait until every chart that was asked for is drawn."""
        self.page.wait_for_selector("html[data-drawing='0']", state="attached")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium from PATH, else playwright's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as play:
        if found is None and not Path(play.chromium.executable_path).exists():
            pytest.skip("no Chromium: install one, or run  playwright install chromium")
        made = play.chromium.launch(executable_path=found, args=QUIET)
        yield made
        made.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """A small binary study, one with classes, patients and seeds, one of many arms, one of long names: each a file."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, simulation in (("small", SMALL), ("classes", CLASSES), ("many", MANY), ("long", LONG)):
        answers = answers_of(simulation)
        (folder / f"{name}.html").write_text(render(typed(answers), context_of(typed(answers))), encoding="utf-8")
        made[name] = (folder / f"{name}.html", answers)
    return made


@pytest.fixture
def open_page(browser: Browser, pages: dict[str, tuple[Path, dict[str, Any]]]) -> Iterator[Any]:
    """Opens a page by name, at a width, light or dark; afterwards it must have been silent and asked for nothing."""
    opened: list[Opened] = []

    def opener(name: str = "small", width: int = 1280, scheme: Any = "light", scripts: bool = True) -> Opened:
        path, answers = pages[name]
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=scripts
        )
        found = Opened(context.new_page(), answers)
        opened.append(found)
        found.page.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.goto(path.as_uri())
        if scripts:
            found.page.wait_for_selector("html[data-ready]", state="attached")
            found.settle()
        return found

    yield opener
    for found in opened:
        found.page.context.close()
        assert found.complaints == []
        assert [url for url in found.requests if not url.startswith(("file:", "data:", "blob:"))] == []
