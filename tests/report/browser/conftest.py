"""A headless Chromium that opens report pages and records their console messages and network requests."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cytocurve.report.page import render
from tests.report.answers_makers import CLASSES, LONG, MANY, SMALL, Simulation, answers_of, context_of, typed

FIFTEEN = (
    "basophil", "eosinophil", "erythroblast", "lymphocyte_atypical", "lymphocyte_typical", "metamyelocyte", "monoblast",
    "monocyte", "myeloblast", "myelocyte", "neutrophil_band", "neutrophil_segmented", "promyelocyte",
    "promyelocyte_bilobed", "smudge_cell",
)  # fmt: skip


def of_classes(classes: Sequence[str]) -> Simulation:
    """A study of one arm with these classes."""
    return Simulation([("sequential", "none", "expert")], [20, 40, 80], classes, folds=3, images=5 * len(classes))


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
    """A page as a reader sees it, and what went wrong on it."""

    page: Page
    answers: dict[str, Any]
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def marks(self, chart: str) -> list[str]:
        """The shapes and positions of everything that a chart draws, once they no longer change."""
        self.settle()
        paths = self.page.locator(f'[data-chart="{chart}"] .canvas svg path')
        form = "all => all.map(each => `${each.getAttribute('d')} ${each.getAttribute('transform')}`)"
        return [str(opened) for opened in paths.evaluate_all(form)]

    def settle(self) -> None:
        """Wait until all requested charts are drawn."""
        self.page.wait_for_selector("html[data-drawing='0']", state="attached")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium from PATH, else playwright's own."""
    opened = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as play:
        if opened is None and not Path(play.chromium.executable_path).exists():
            pytest.skip("no Chromium: install one, or run  playwright install chromium")
        made = play.chromium.launch(executable_path=opened, args=QUIET)
        yield made
        made.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """A small binary study, one with classes, patients and seeds, one of many arms, one of long names: each a file."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    counted = {"three": FIFTEEN[:3], "eight": FIFTEEN[-8:], "fifteen": FIFTEEN}
    simulations = {"small": SMALL, "classes": CLASSES, "many": MANY, "long": LONG} | {
        name: of_classes(classes) for name, classes in counted.items()
    }
    for name, simulation in simulations.items():
        answers = answers_of(simulation)
        static: dict[str, str] | None = {} if name in counted else None  # figures without scripts take seconds to draw
        page = render(typed(answers), context_of(typed(answers)), static)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        made[name] = (folder / f"{name}.html", answers)
    return made


@pytest.fixture
def open_page(browser: Browser, pages: dict[str, tuple[Path, dict[str, Any]]]) -> Iterator[Any]:
    """Opens a page by name at a width, light or dark; it must cause no console messages and no requests."""
    opened: list[Opened] = []

    def opener(name: str = "small", width: int = 1280, scheme: Any = "light", scripts: bool = True) -> Opened:
        path, answers = pages[name]
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=scripts
        )
        view = Opened(context.new_page(), answers)
        opened.append(view)
        view.page.on("console", lambda message: view.complaints.append(f"{message.type}: {message.text}"))
        view.page.on("pageerror", lambda error: view.complaints.append(str(error)))
        view.page.on("request", lambda request: view.requests.append(request.url))
        view.page.goto(path.as_uri())
        if scripts:
            view.page.wait_for_selector("html[data-ready]", state="attached")
            view.settle()
        return view

    yield opener
    for view in opened:
        view.page.context.close()
        assert view.complaints == []
        assert [url for url in view.requests if not url.startswith(("file:", "data:", "blob:"))] == []
