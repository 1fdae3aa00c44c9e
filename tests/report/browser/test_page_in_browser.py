"""The report page in a real browser: no console messages, no requests, and controls that work."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from cytocurve.report import formatting, wording
from tests.report.answers_makers import typed

pytestmark = pytest.mark.slow


def downloaded(opened: Any, selector: str) -> str:
    """The text of the file that a button saves."""
    with opened.page.expect_download() as waiting:
        opened.page.locator(selector).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["small", "classes"])
def test_every_chart_renders_without_console_messages(open_page: Any, name: str) -> None:
    opened = open_page(name)
    for chart in ("curves", "forecast", "comparison", "roc", "recall", "reliability"):
        assert len(opened.marks(chart)) > 3, chart


@pytest.mark.parametrize(("name", "scheme"), [("small", "light"), ("classes", "dark")])
def test_axe_finds_no_violation(open_page: Any, name: str, scheme: str) -> None:
    opened = open_page(name, scheme=scheme)
    for folded in (".more", '[data-chart="curves"] .numbers'):
        opened.page.locator(f"{folded} > summary").click()
    results = Axe().run(opened.page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("name", ["small", "classes", "many", "long"])
def test_nothing_scrolls_sideways_on_a_phone(open_page: Any, name: str, width: int) -> None:
    page = open_page(name, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    panel = page.locator('[data-chart="comparison"]').bounding_box()
    cut = "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.outerHTML.slice(0, 200))"
    assert page.locator(".scroll:visible").evaluate_all(cut) == []
    names = page.locator('[data-chart="comparison"] .mark-text text').evaluate_all(
        "all => Math.max(...all.map(element => element.getBoundingClientRect().right))"
    )
    assert names <= panel["x"] + panel["width"]


@pytest.mark.parametrize("width", [1280, 390])
def test_verdicts_and_what_would_change_them_are_seen_without_scrolling(open_page: Any, width: int) -> None:
    page = open_page(width=width).page
    scroll = page.locator('.scroll[aria-labelledby="comparisons"]')
    assert scroll.evaluate("each => each.scrollWidth <= each.clientWidth")
    told = page.locator('tr[data-at]:visible [data-of="would be shown by"]').first
    assert told.inner_text() in ("", "about 620 images instead of 250, or 4 seeds instead of 1")


def test_rows_that_do_not_fit_are_listed_with_their_headings_and_stay_a_table(open_page: Any) -> None:
    page = open_page(width=390).page
    made = page.locator('table[data-name="comparisons"]')
    assert "stacked" in made.get_attribute("class")
    row = made.get_by_role("row").first
    heads = row.get_by_role("cell").evaluate_all("all => all.map(each => each.dataset.head)")
    assert heads[:2] == ["images", "difference, 95 % interval"]
    page.set_viewport_size({"width": 1280, "height": 844})
    page.wait_for_function("!document.querySelector('[data-name=comparisons]').classList.contains('stacked')")


@pytest.mark.parametrize("name", ["small", "many", "long"])
def test_zero_line_does_not_cross_the_names_of_pairs(open_page: Any, name: str) -> None:
    opened = open_page(name, width=390)
    opened.settle()
    box = "all => all.map(each => each.getBoundingClientRect()).map(each => [each.top, each.bottom])"
    chart = opened.page.locator('[data-chart="comparison"]')
    texts = chart.locator(".mark-text.role-mark text").evaluate_all(box)
    lines = chart.locator(".layer_0_marks > *").evaluate_all(box)
    assert len(texts) == len(lines) > 0
    assert all(bottom <= line[0] or top >= line[1] for top, bottom in texts for line in lines)


def test_saved_comparisons_have_verdict_and_estimate_in_columns_of_their_own(open_page: Any) -> None:
    rows = list(csv.DictReader(downloaded(open_page(), '[data-save="comparisons"]').splitlines()))
    assert {"verdict", "verdict would be shown by"} <= set(rows[0])
    assert {row["verdict"] for row in rows} <= {"no difference shown", "flip + rotate is better"}


@pytest.mark.parametrize("name", ["small", "classes", "many", "long"])
def test_no_text_on_the_page_is_an_invalid_value(open_page: Any, name: str) -> None:
    page = open_page(name).page
    page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
    page.wait_for_timeout(100)  # the numbers of the charts are listed after their sections open
    assert not re.search(r"\[object|\bundefined\b|\bNaN\b|\bnull\b", page.locator("body").inner_text())


def test_patient_scores_are_shown_with_their_interval(open_page: Any) -> None:
    opened = open_page("classes")
    row = opened.answers["arms"][opened.answers["chosen"]]["subjects"][-1]
    values = opened.page.locator('table[data-name="subjects"] tbody tr').first.locator("data")
    shown = [float(element.get_attribute("value")) for element in values.all()]
    shares = [row[kind]["mean"] for kind in ("accuracy", "diagnosis")]
    assert shown == [row["subjects"], *shares, row["diagnosis"]["n"], row["unknown"], row["undefined"]]
    mean, sd, low, high = (f"{row['accuracy'][end]:.3f}" for end in ("mean", "sd", "ci_low", "ci_high"))
    assert values.nth(1).inner_text() == f"{mean} ± {sd} ({low} to {high})"


def test_chart_without_arms_is_replaced_by_a_message(open_page: Any) -> None:
    opened = open_page()
    for number in (0, 1):
        opened.page.locator("[data-legend]").first.locator("input").nth(number).uncheck()
    opened.settle()
    for chart in ("curves", "roc", "recall", "reliability"):
        assert opened.page.locator(f'[data-chart="{chart}"] .canvas').inner_text() == "No arm is selected."


def test_printout_shows_every_comparison(open_page: Any) -> None:
    opened = open_page()
    opened.page.emulate_media(media="print")
    assert opened.page.locator("tr[data-at]:visible").count() == len(opened.answers["comparisons"])


def test_saved_table_names_arm_and_size_and_repeats_no_column(open_page: Any) -> None:
    opened = open_page()
    for name in ("confusion", "class-wise", "calibration"):
        with opened.page.expect_download() as waiting:
            opened.page.locator(f'[data-save="{name}"]').click()
        assert "200" in waiting.value.suggested_filename
        rows = list(csv.reader(Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()))
        assert len(set(rows[0])) == len(rows[0])
        assert rows[1][rows[0].index("training images")] == "200"


RESULT = ("h1", ".lead", ".small-curve", ".composition", ".classes")


@pytest.mark.parametrize(("width", "parts"), [(1280, (*RESULT, ".facts > div")), (390, RESULT)])
@pytest.mark.parametrize("name", ["small", "classes"])
def test_first_screen_holds_result_curve_and_data_and_on_a_desk_the_four_answers(
    open_page: Any, name: str, width: int, parts: tuple[str, ...]
) -> None:
    page = open_page(name, width=width).page
    boxes = [each.bounding_box() for part in parts for each in page.locator(part).all()]
    assert len(boxes) == len(RESULT) + (4 if width == 1280 else 0)
    assert all(box["y"] + box["height"] <= 844 for box in boxes)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["small", "three", "eight", "fifteen"])
def test_confusion_matrix_fits_on_the_page(open_page: Any, name: str, width: int) -> None:
    page = open_page(name, width=width).page
    scroll = page.locator('.scroll[data-table="confusion"]')
    assert scroll.evaluate("each => each.scrollWidth <= each.clientWidth")
    cells = page.locator('table[data-name="confusion"] :is(th, td)')
    cut = "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
    assert cells.evaluate_all(cut) == []


def test_confusion_matrix_numbers_its_columns_only_where_names_do_not_fit(open_page: Any) -> None:
    heads = {}
    for name, width in (("three", 1280), ("three", 390), ("fifteen", 1280)):
        table = open_page(name, width=width).page.locator('table[data-name="confusion"]')
        heads[name, width] = table.locator("thead th").all_inner_texts()[2:]
    assert heads["three", 1280] == ["assigned to basophil", "assigned to eosinophil", "assigned to erythroblast"]
    assert heads["three", 390] == ["1", "2", "3"]
    assert heads["fifteen", 1280] == [str(number) for number in range(1, 16)]


def test_confusion_matrix_says_what_its_spread_is_and_leaves_room_at_the_edge(open_page: Any) -> None:
    page = open_page("classes").page
    assert (
        page.locator('[data-note="confusion"]').inner_text() == "±: standard deviation over runs, in percentage points."
    )
    assert not open_page("fifteen").page.locator('[data-note="confusion"]').is_visible()
    matrix, panel = (
        page.locator(each).bounding_box() for each in ('[data-name="confusion"]', '[data-table="confusion"]')
    )
    assert matrix["x"] + matrix["width"] <= panel["x"] + panel["width"] - 8


def test_first_screen_breaks_no_class_name_within_a_word(open_page: Any) -> None:
    names = open_page("fifteen").page.locator(".classes b")
    lines = "all => all.map(each => [each.textContent, each.getClientRects().length])"
    assert all(count <= len(name.split()) for name, count in names.evaluate_all(lines))


def test_classes_of_a_binary_task_have_one_name_in_all_tables(open_page: Any) -> None:
    page = open_page().page
    for name in ("confusion", "class-wise"):
        rows = page.locator(f'table[data-name="{name}"] tbody th').all_inner_texts()
        assert rows == ["not blast", "blast"]


def test_roc_curves_start_at_the_origin(open_page: Any) -> None:
    """Their points on the grid do not: the mean at no false positives is the top of a vertical step."""
    lines = open_page().marks("roc")
    points = [re.findall(r"-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?", line) for line in lines]
    curves = [line for line in points if len(line) > 100 and len(line) < 110]
    assert len(curves) == 2
    assert all(curve[0] == "0,330" for curve in curves)


def test_calibration_shows_the_interval_of_every_bin(open_page: Any) -> None:
    found = open_page()
    bins = [row for arm in found.answers["arms"].values() for row in arm["calibration"][-1]["bins"] if row["images"]]
    assert found.page.locator('[data-chart="reliability"] .mark-rule.role-mark line').count() == len(bins)


def test_printed_page_breaks_no_word_and_leaves_no_heading_alone(open_page: Any) -> None:
    """No heading is the last thing on a sheet, as far as rules of style can say."""
    page = open_page("classes").page
    page.emulate_media(media="print")
    breaks = "all => all.filter(each => getComputedStyle(each).breakAfter !== 'avoid').length"
    assert page.locator("h2, h3, .panel-head, .more > summary").evaluate_all(breaks) == 0
    inside = "all => all.filter(each => getComputedStyle(each).breakInside !== 'avoid').length"
    assert page.locator("p, figure, tr, .panel:not(:has([data-name='findings']))").evaluate_all(inside) == 0
    assert not page.get_by_text("as a single JSON file").is_visible()


@pytest.mark.parametrize("name", ["small", "classes"])
def test_printed_tables_stay_within_their_panels(open_page: Any, name: str) -> None:
    page = open_page(name, width=680).page  # the width of A4 between its margins
    page.emulate_media(media="print")
    outside = (
        "all => all.filter(each => each.getBoundingClientRect().right > "
        "each.closest('.panel').getBoundingClientRect().right).map(each => each.dataset.name)"
    )
    assert page.locator(".panel table:visible").evaluate_all(outside) == []


def test_slider_changes_answer_value_and_chart(open_page: Any) -> None:
    opened = open_page()
    plan = typed(opened.answers).best.plan
    slider = opened.page.get_by_role("slider")
    texts, marks, chances = set(), set(), set()
    for place in (0, len(plan.targets) // 2, len(plan.targets) - 1):
        slider.fill(str(place))
        row = plan.targets[place]
        assert opened.page.locator("#answer").text_content() == wording.answer(row, plan, "ROC-AUC")
        assert opened.page.locator("#target-value").text_content() == formatting.target(row.target)
        assert slider.get_attribute("aria-valuetext") == f"ROC-AUC {formatting.target(row.target)}"
        names = wording.class_names(typed(opened.answers))
        assert opened.page.locator("#labels").text_content() == wording.labels(row, names)
        texts.add(opened.page.locator("#answer").text_content())
        opened.settle()
        chances.add(opened.page.locator('[data-chart="chances"] svg').inner_html())
        marks.add(opened.page.locator('[data-chart="forecast"] svg').inner_html())
    assert len(texts) == len(marks) == len(chances) == 3


def test_chances_of_a_target_can_be_saved_and_are_told_in_words(open_page: Any) -> None:
    """The chart's numbers are those of the answers, and its description names target and arm."""
    opened = open_page()
    plan = typed(opened.answers).best.plan
    needed = plan.targets[wording.default_target(plan)]
    opened.settle()
    panel = opened.page.locator('[data-chart="chances"]')
    described = panel.locator(".canvas").get_attribute("aria-label")
    assert f"reaches mean ROC-AUC {formatting.target(needed.target)}" in described
    panel.locator("summary").click()
    panel.locator("tbody tr").first.wait_for()
    assert panel.locator("tbody tr").count() == len(plan.forecast)
    assert opened.page.locator("#why").text_content() == wording.why(plan)


def test_slider_responds_to_the_keyboard(open_page: Any) -> None:
    opened = open_page()
    slider = opened.page.get_by_role("slider")
    before = int(slider.input_value())
    slider.focus()
    opened.page.keyboard.press("ArrowLeft")
    assert int(slider.input_value()) == before - 1
    opened.page.keyboard.press("Home")
    assert opened.page.locator("#target-value").text_content() == "0.70"


def test_each_arm_has_its_own_forecast(open_page: Any) -> None:
    opened = open_page()
    before = opened.marks("forecast")
    other = next(arm for arm in opened.answers["arms"] if arm != opened.answers["chosen"])
    opened.page.locator("#plan-arm").select_option(other)
    assert opened.marks("forecast") != before
    assert opened.page.locator("[data-plan]:visible").get_attribute("data-plan") == other


def test_arm_can_be_hidden_and_shown_in_all_charts(open_page: Any) -> None:
    opened = open_page()
    before = {chart: opened.marks(chart) for chart in ("curves", "roc", "reliability")}
    boxes = opened.page.locator("[data-legend] input")
    boxes.first.uncheck()
    for chart, marks in before.items():
        assert len(opened.marks(chart)) < len(marks)
    assert not boxes.nth(2).is_checked()
    boxes.nth(2).check()
    assert {chart: opened.marks(chart) for chart in before} == before


def test_bands_switch_to_boxes_and_the_axis_to_linear(open_page: Any) -> None:
    opened = open_page()
    bands = opened.marks("curves")
    opened.page.get_by_role("radio", name="Linear").check(force=True)
    linear = opened.marks("curves")
    opened.page.get_by_role("radio", name="Box plots").check(force=True)
    assert opened.page.get_by_role("radio", name="Linear").is_disabled()
    boxes = opened.marks("curves")
    assert bands != linear != boxes
    rectangles = 2 * len(opened.answers["sizes"])
    assert opened.page.locator('[data-chart="curves"] .mark-rect.role-mark path').count() >= rectangles


def test_each_metric_has_its_own_curve_and_text(open_page: Any) -> None:
    opened = open_page()
    before = opened.marks("curves")
    opened.page.locator("#metric").select_option("accuracy")
    assert opened.marks("curves") != before
    assert "Accuracy" in opened.page.locator('[data-chart="curves"] .canvas').get_attribute("aria-label")


def test_selected_size_changes_charts_and_tables(open_page: Any) -> None:
    opened = open_page("classes")
    arm, classes = opened.answers["arms"][opened.answers["chosen"]], opened.answers["classes"]
    before = opened.marks("roc")
    opened.page.locator("#size").select_option("20")
    assert opened.marks("roc") != before
    cells = opened.page.locator('table[data-name="confusion"] tbody tr').first.locator("data")
    shown = [float(element.get_attribute("value")) for element in cells.all()]
    assert shown[1:] == arm["confusion"][0]["percent"][0]
    opened.page.locator("#class").select_option(classes[1])
    text = opened.page.locator("#detail-words").text_content()
    assert text == f"20 training images; tables for no augmentation · expert; curves for {classes[1]}."
    assert opened.marks("roc") != before
    assert classes[1] in opened.page.locator('[data-chart="roc"] .canvas').get_attribute("aria-label")


def test_selected_comparison_is_shown(open_page: Any) -> None:
    opened = open_page()
    before = opened.marks("comparison")
    opened.page.locator("#at").select_option("area")
    assert opened.marks("comparison") != before
    assert opened.page.locator("tr[data-at]:visible").evaluate_all("all => all.map(row => row.dataset.at)") == ["area"]


def test_saved_answers_equal_the_answers(open_page: Any) -> None:
    opened = open_page()
    assert json.loads(downloaded(opened, "#save-answers")) == json.loads(json.dumps(opened.answers))


def test_saved_table_has_every_number_in_full_precision(open_page: Any) -> None:
    opened = open_page()
    rows = list(csv.reader(downloaded(opened, '[data-save="scores-roc_auc"]').splitlines()))
    names = [name for name in ("no augmentation", "flip + rotate") for _ in range(3)]
    ends = ["", " low", " high"] * 2
    assert rows[0] == ["images"] + [name + end for name, end in zip(names, ends, strict=True)]
    curves = [arm["curves"]["roc_auc"] for arm in opened.answers["arms"].values()]
    expected = [curve[-1][key] for curve in curves for key in ("mean", "ci_low", "ci_high")]
    assert [float(value) for value in rows[-2][1:]] == expected


def test_data_of_a_chart_can_be_read_and_saved(open_page: Any) -> None:
    opened = open_page()
    opened.page.locator('[data-chart="roc"] summary').click()
    rows = list(csv.DictReader(downloaded(opened, '[data-save="chart-roc"]').splitlines()))
    means = [row["mean"] for arm in opened.answers["arms"].values() for row in arm["roc"]["positive"][-1:]]
    assert [float(row["mean"]) for row in rows] == [value for mean in means for value in mean]


def test_charts_take_the_colors_of_dark_mode_and_of_print(open_page: Any) -> None:
    opened = open_page(scheme="dark")
    line = opened.page.locator('[data-chart="curves"] .mark-line path').first
    color = "element => getComputedStyle(element).stroke"
    dark = line.evaluate(color)
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.locator(".controls:visible").count() == 0
    assert opened.page.locator('[data-chart="curves"] svg').is_visible()
    assert line.evaluate(color) == "rgb(0, 114, 178)" != dark
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_page_without_scripts_shows_text_tables_and_figures(open_page: Any) -> None:
    page = open_page(scripts=False).page
    assert page.locator("h1").is_visible()
    assert page.locator('table[data-name="scores-roc_auc"]').is_visible()
    assert page.locator("figure svg[role=img]").count() == 5
    assert page.locator(".controls:visible, button:visible").count() == 0


def test_every_control_is_reachable_with_the_tab_key(open_page: Any) -> None:
    page = open_page().page
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.id || document.activeElement.name || document.activeElement.className"
            )
        )
    assert {"metric", "mode", "axis", "plan-arm", "target"} <= reached
