"""`cytocurve audit`: the stage with its policies, inventories alone, and the report's section."""

import gzip
import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytocurve import datasets
from cytocurve.core.data import inventory
from cytocurve.errors import InputError
from cytocurve.stores.documents import read_json, write_json
from cytocurve.stores.tables import write_parquet
from cytocurve.workflows.inventory import UNPACKED_LIMIT, audit_inventory
from cytocurve.workflows.stages.evaluate import evaluate
from tests.makers import project_with_results
from tests.projects import ROOT, cytocurve, make_project, run, write_params, write_toy

SHARED = ROOT.parent / "shared" / "data"
PBC = SHARED / "pbc-acevedo"
C_NMC = SHARED / "c-nmc-2019" / "upstream_inventory.csv.gz"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project, cataloged and split; one image occurs twice."""
    root = tmp_path_factory.mktemp("drawn")
    write_params(root)
    write_toy(root / "data" / "toy")
    images = root / "data/toy/images"
    shutil.copy(images / "dark/cell001.png", images / "dark/again.png")
    with (root / "data/toy/labels/folder.csv").open("a") as file:
        file.write("dark/again.png,dark,P1\n")
    for stage in ("catalog", "split"):
        done = cytocurve(root, stage)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def project(drawn: Path, tmp_path: Path) -> Path:
    shutil.copytree(drawn, tmp_path / "project")
    return tmp_path / "project"


def test_stage_prints_a_summary_and_writes_the_json_output(project: Path) -> None:
    done = cytocurve(project, "audit")
    assert done.returncode == 0, done.stderr
    assert "7 patients are on more than one side" in done.stdout
    assert "dark/again.png, dark/cell001.png" in done.stdout
    printed = cytocurve(project, "audit", "--json")
    assert json.loads(printed.stdout) == read_json(project / "reports/audit.json", "")


def test_equal_data_give_equal_bytes_in_any_location(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "elsewhere")
    for root in (project, tmp_path / "elsewhere"):
        assert cytocurve(root, "audit").returncode == 0
    one, other = (root / "reports/audit.json" for root in (project, tmp_path / "elsewhere"))
    assert one.read_bytes() == other.read_bytes()
    assert str(tmp_path) not in one.read_text()


def test_failing_policy_writes_the_audit_lists_every_violation_and_exits_with_1(project: Path) -> None:
    write_params(project, leakage="fail", duplicates="fail")
    done = cytocurve(project, "audit")
    assert done.returncode == 1
    assert "(params.yaml: leakage: fail, duplicates: fail)" in done.stderr
    for offender in (*(f"patient: P{number}" for number in range(7)), "dark/again.png, dark/cell001.png"):
        assert offender in done.stderr
    assert "Traceback" not in done.stderr
    counts = json.loads((project / "reports/audit.json").read_text())["counts"]
    assert (counts["leakage"], counts["duplicate"]) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"leakage": "fail"}, 1, "Audit failed; nothing was trained (params.yaml: leakage: fail):"),
        ({"duplicates": "fail"}, 1, "Audit failed; nothing was trained (params.yaml: duplicates: fail):"),
        ({"leakage": "fail", "split": "patient"}, 0, ""),
        ({"leakage": "warn"}, 0, ""),
    ],
)
def test_each_policy_rejects_only_its_own_findings(
    project: Path, changes: dict[str, Any], code: int, said: str
) -> None:
    write_params(project, **changes)
    assert cytocurve(project, "split").returncode == 0
    done = cytocurve(project, "audit")
    assert (done.returncode, said in done.stderr) == (code, True)
    assert ("byte for byte" in done.stderr) == ("duplicates" in changes)


def test_split_of_another_catalog_is_rejected_with_every_image(project: Path) -> None:
    table = pd.read_parquet(project / "build/catalog.parquet")
    kept = table[~table["image"].isin(["dark/cell003.png", "light/cell002.png"])]
    write_parquet(project / "build/catalog.parquet", kept)
    done = cytocurve(project, "audit")
    assert done.returncode == 2
    assert "dark/cell003.png is not in the catalog" in done.stderr
    assert "light/cell002.png is not in the catalog" in done.stderr
    assert not (project / "reports").exists()


def test_stage_run_too_early_names_what_to_run_first(tmp_path: Path) -> None:
    write_params(tmp_path)
    done = cytocurve(tmp_path, "audit")
    assert done.returncode == 2
    assert "Next: make repro, or cytocurve data add" in done.stderr


@pytest.mark.slow
def test_nothing_is_trained_if_the_audit_fails(tmp_path: Path) -> None:
    root = make_project(tmp_path, leakage="fail")
    done = run(root, "dvc", "repro")
    assert done.returncode != 0
    assert "Running stage 'audit'" in done.stdout
    assert "> cytocurve sweep" not in done.stdout
    refused = cytocurve(root, "sweep")
    assert refused.returncode == 1
    assert "leakage: fail" in refused.stderr
    assert not (root / "ledger").exists()
    assert not (root / "results").exists()


@pytest.mark.slow
def test_real_pbc_audit_reports_duplicate_pairs_and_the_older_batch(tmp_path: Path) -> None:
    """17 published pairs, one of them with two labels, and the 106 images of an older batch by their sizes."""
    if not PBC.is_dir():
        pytest.skip("the real images of PBC are not at ../shared/data/pbc-acevedo")
    write_params(tmp_path, dataset="pbc", task="multiclass", folds=5, sizes=[50])
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        assert run(tmp_path, *command).returncode == 0
    for command in (["data", "add", "pbc", str(PBC)], ["catalog"], ["split"]):
        done = cytocurve(tmp_path, *command)
        assert done.returncode == 0, done.stderr
    figures = json.loads(cytocurve(tmp_path, "audit", "--json").stdout)
    result = {finding["id"]: finding for finding in figures["findings"]}
    assert result["byte-identical"]["numbers"]["groups"] == 17
    assert result["conflicting-labels"]["offenders"][0]["images"] == [
        "eosinophil/EO_225902.jpg", "neutrophil/BNE_191112.jpg",
    ]  # fmt: skip
    assert result["without-patient"]["numbers"]["images"] == 1241
    assert {row["size"] for row in result["size-by-class"]["offenders"]} == {"366x369", "360x360"}
    older = {row["size"]: row for row in figures["sizes"]["folder"]}
    assert [name for name, count in older["360x360"]["classes"].items() if count] == [
        "erythroblast", "immature_granulocyte",
    ]  # fmt: skip
    assert older["366x369"]["images"] == 73
    assert result["shortcut-background"]["severity"] == result["shortcut-image-size"]["severity"] == "warning"
    scores = [row["roc_auc"] for row in figures["shortcuts"]["folder"]]
    assert scores == sorted(scores, reverse=True)
    table = {row["feature"]: row for row in figures["shortcuts"]["folder"]}
    assert table["background"]["above_chance"]
    assert table["image size"]["worst"]["class"] == "immature_granulocyte"
    assert table["image size"]["worst"]["above_chance"]
    assert table["file format"]["roc_auc"] == 0.5


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def write_inventory(path: Path, *rows: str, header: str = "path,bytes,sha256") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def record_of(path: str) -> inventory.Record:
    """Patient and official fold from a path of C-NMC."""
    subject = re.search(r"/UID_(H?\d+)_\d+_\d+_(?:all|hem)\.bmp$", path, re.IGNORECASE)
    fold = re.search(r"/(fold_\d)/", path)
    return subject and subject[1].upper(), fold and fold[1]


@pytest.mark.skipif(not C_NMC.is_file(), reason="the inventory of C-NMC is not at ../shared/data/c-nmc-2019")
def test_real_c_nmc_inventory_has_106_pairs_94_of_them_across_official_folds() -> None:
    entries, wrong = inventory.parse(gzip.decompress(C_NMC.read_bytes()).decode())
    assert wrong == []
    figures = inventory.figures(entries, inventory.pairs(entries, record_of))
    assert (figures["byte_identical_pairs"], figures["pairs_across_folds"]) == (106, 94)
    assert [(row["patients"], row["pairs"], row["across_folds"]) for row in figures["subject_pairs"]] == [
        (["20", "21"], 71, 71), (["51", "78"], 11, 11), (["51", "75"], 10, 10), (["H2", "H4"], 3, 0),
        (["H2", "H5"], 2, 0), (["H10", "H3"], 1, 1), (["H2", "H6"], 1, 1),
    ]  # fmt: skip
    assert (figures["pairs_of_one_patient"], figures["pairs_of_unknown_patients"]) == (5, 2)


@pytest.mark.skipif(not C_NMC.is_file(), reason="the inventory of C-NMC is not at ../shared/data/c-nmc-2019")
def test_command_audits_the_real_inventory_outside_a_project_within_seconds(tmp_path: Path) -> None:
    dataset = ["--dataset", "c_nmc"] if "c_nmc" in datasets.names() else []
    start = time.monotonic()
    done = cytocurve(tmp_path, "audit", "--inventory", str(C_NMC), *dataset, "--json")
    assert time.monotonic() - start < 5
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["byte_identical_pairs"] == 106
    assert figures["pairs_across_folds"] == (94 if dataset else 0)
    assert "106 byte-identical pairs" in cytocurve(tmp_path, "audit", "--inventory", str(C_NMC)).stdout


def test_group_of_identical_files_pairs_the_first_with_each_other_file(tmp_path: Path) -> None:
    rows = [f"{name}.bmp,7,{digest(0)}" for name in "cab"] + [f"other.bmp,7,{digest(1).upper()}"]
    figures = audit_inventory(write_inventory(tmp_path / "i.csv", *rows), None)
    assert [pair.paths for pair in figures.pairs] == [["a.bmp", "b.bmp"], ["a.bmp", "c.bmp"]]


def test_every_offending_line_of_an_inventory_is_listed(tmp_path: Path) -> None:
    file = write_inventory(
        tmp_path / "bad.csv",
        f"a.bmp,10,{digest(0)}",
        f"b.bmp,10,{digest(1)[:63]}",
        f"c.bmp,-1,{digest(2)}",
        f"a.bmp,10,{digest(3)}",
        f"d.bmp,11,{digest(0)}",
        "e.bmp,3",
        f",3,{digest(5)}",
    )
    done = cytocurve(tmp_path, "audit", "--inventory", str(file))
    assert done.returncode == 2
    for line in (
        "line 3: sha256: 64 hexadecimal digits are expected, got 63",
        "line 4: bytes: a non-negative integer is expected, got '-1'",
        "line 5: a.bmp is already in line 2",
        "line 6: 11 bytes, but line 2 with the same sha256 has 10",
        "line 7: 2 fields instead of 3",
        "line 8: no path",
    ):
        assert line in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"path,size\na,1\n", "column 'bytes' occurs nowhere"),
        (b"path,bytes,sha256\n", "no files"),
        (b"", "column 'path' occurs nowhere"),
        (b'path,bytes,sha256\n"a', "line 2"),
        (b"\xff\xfe", "not UTF-8"),
        (b"\x1f\x8b no gzip", "damaged gzip file"),
        (gzip.compress(b"path,bytes,sha256\n" * 9, mtime=0)[:-12], "damaged gzip file"),
        (gzip.compress(b"\n" * (UNPACKED_LIMIT + 1), mtime=0), "64 MiB unpacked"),
    ],
)
def test_file_that_is_not_an_inventory_is_rejected_with_the_reason(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "i.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(said)):
        audit_inventory(file, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--inventory", "nowhere.csv"],
        ["--inventory", "."],
        ["--inventory", "i.csv", "--dataset", "c_mnc"],
        ["--inventory", "i.csv", "--dataset", "pbc"],
        ["--dataset", "pbc"],
    ],
)
def test_wrong_usage_exits_with_2_and_one_message(tmp_path: Path, arguments: list[str]) -> None:
    write_inventory(tmp_path / "i.csv", f"a.bmp,10,{digest(0)}")
    done = cytocurve(tmp_path, "audit", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def section(page: str) -> str:
    return page.partition('<section aria-labelledby="audit">')[2].partition("</section>")[0]


def audit_of(project_root: Path, **changes: Any) -> None:
    """An audit with one finding, whose offender has a name that HTML would misread, for the report's toy study."""
    finding = {
        "id": "byte-identical", "labels": None, "severity": "duplicate", "sentence": "1 group of images.",
        "numbers": {"groups": 1}, "offenders_in_all": 5, "offenders": [{"images": ["<b>.png"]}] * 5,
    }  # fmt: skip
    auc = {"roc_auc": 0.75, "ci_low": 0.7, "ci_high": 0.8, "above_chance": True}
    size = {"size": "24x24", "images": 9, "classes": {"dark": 9}, "distance": 0.5, "different": True}
    result = {
        "dataset": "toy", "task": "blast", "labels": ["expert"], "images": 40, "counts": {"duplicate": 1},
        "offenders_at_most": 1000,
        "findings": [finding], "passed": [{"id": "near-identical", "labels": None}],
        "shortcuts": {"expert": [{"feature": "background", **auc, "worst": {"class": "dark", **auc}}]},
        "sizes": {"expert": [size]},
    }  # fmt: skip
    write_json(project_root / "reports/audit.json", result | changes)


def test_report_has_findings_numbers_offenders_and_shortcuts(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    audit_of(tmp_path)
    evaluate(project, lambda done, total: None)
    page = (tmp_path / "reports/report.html").read_text()
    part = section(page)
    for text in ("duplicate", "1 group of images.", "groups 1", "&lt;b&gt;.png", "and 2 more", "near-identical"):
        assert text in part
    assert "<b>" not in part
    visible = " ".join(re.sub(r"<[^>]+>", " ", part).split())
    assert "background 0.750 0.700 – 0.800 yes" in visible
    assert 'class="enough">different' in part
    assert part.count('tabindex="0" role="region" aria-labelledby=') == part.count("<table") == 3
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert all(name in ids for name in re.findall(r'aria-labelledby="([^"]+)"', page))


def test_report_ignores_the_audit_of_another_study(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    audit_of(tmp_path, task="atypical")
    evaluate(project, lambda done, total: None)
    assert "has not been audited" in section((tmp_path / "reports/report.html").read_text())


def test_damaged_audit_is_reported_with_the_next_step(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    audit_of(tmp_path)
    (tmp_path / "reports/audit.json").write_text("[]")
    with pytest.raises(InputError, match="dvc repro audit"):
        evaluate(project, lambda done, total: None)
