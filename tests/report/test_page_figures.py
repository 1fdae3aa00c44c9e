"""Figures for papers: text in embedded fonts, equal bytes, a stated width."""

import base64
import re
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from fontTools.ttLib import TTFont

from cytocurve.report.figures import draw, drawings, inline
from tests.report.answers_makers import CLASSES, SMALL, answers_of, refused, typed

pytestmark = pytest.mark.slow

NAMES = {"curves", "boxplot", "forecast", "roc", "confusion", "reliability"}


def parsed(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314 - drawn here


def texts_of(root: Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return answers_of(SMALL)


@pytest.fixture(scope="module")
def drawn(answers: dict[str, Any]) -> dict[str, tuple[bytes, bytes]]:
    return draw(typed(answers), 85)


def test_every_figure_is_saved_as_svg_and_pdf(drawn: dict[str, tuple[bytes, bytes]]) -> None:
    assert set(drawn) == NAMES
    assert all(pdf.startswith(b"%PDF") for _, pdf in drawn.values())


def test_equal_answers_give_equal_bytes(answers: dict[str, Any], drawn: dict[str, tuple[bytes, bytes]]) -> None:
    assert draw(typed(answers), 85) == drawn


@pytest.mark.parametrize("name", sorted(NAMES))
def test_pdf_embeds_truetype_fonts_and_has_no_date(drawn: dict[str, tuple[bytes, bytes]], name: str) -> None:
    pdf = drawn[name][1]
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


@pytest.mark.parametrize("name", sorted(NAMES))
def test_svg_embeds_every_glyph_it_shows(drawn: dict[str, tuple[bytes, bytes]], name: str) -> None:
    svg = drawn[name][0].decode()
    face = re.search(r"font-weight:normal;src:url\(data:font/woff;base64,([^)]+)\)", svg)
    assert face
    letters = set(TTFont(BytesIO(base64.b64decode(face[1]))).getBestCmap())
    texts = texts_of(parsed(svg))
    assert texts
    assert {ord(letter) for text in texts for letter in text} <= letters


@pytest.mark.parametrize("width", [85, 180])
def test_figure_has_the_stated_width(answers: dict[str, Any], width: int) -> None:
    svg, pdf = draw(typed(answers), width)["curves"]
    points = width / 25.4 * 72
    stated = re.search(r'<svg [^>]*width="([\d.]+)pt"', svg.decode())
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", pdf)
    assert stated
    assert box
    assert float(stated[1]) == pytest.approx(points, abs=0.01)
    assert float(box[1]) == pytest.approx(points, abs=0.01)


def test_text_is_readable_at_column_width(drawn: dict[str, tuple[bytes, bytes]]) -> None:
    sizes = {float(size) for svg, _ in drawn.values() for size in re.findall(r"font-size: ([\d.]+)px", svg.decode())}
    assert min(sizes) >= 7
    assert max(sizes) <= 9


def test_figure_names_its_arms_and_has_a_text_description(drawn: dict[str, tuple[bytes, bytes]]) -> None:
    root = parsed(drawn["curves"][0].decode())
    assert {"no augmentation", "flip + rotate", "10", "200"} <= set(texts_of(root))
    assert "ROC-AUC" in root.attrib["aria-label"]


def test_figures_that_cannot_be_drawn_are_skipped(answers: dict[str, Any]) -> None:
    arm = answers["arms"][answers["chosen"]]
    changed = answers | {
        "arms": answers["arms"] | {answers["chosen"]: arm | {"plan": refused(arm["plan"], "Too few sizes.")}}
    }
    assert set(drawings(typed(changed))) == NAMES - {"forecast"}


def test_each_of_several_classes_has_a_roc_curve() -> None:
    svg = drawings(typed(answers_of(CLASSES)))["roc"]
    assert all(f"{name}, area" in svg for name in CLASSES.classes)


def test_figure_in_a_page_uses_the_colors_of_the_page(answers: dict[str, Any]) -> None:
    element = inline(drawings(typed(answers))["curves"], "curves")
    assert element.startswith("<svg ")
    assert "var(--ink)" in element
    assert all(result.startswith("curves-") for result in re.findall(r'\bid="([^"]+)"', element))
