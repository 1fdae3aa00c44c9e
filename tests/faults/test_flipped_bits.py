"""A flipped bit in a file written by a stage is reported, and never changes a result."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import read_answers
from cytocurve.stores.documents import json_text, read_json, write_json
from cytocurve.stores.tables import parquet_bytes, parquet_from, read_about, read_parquet, write_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import split_settings
from cytocurve.study.results import read_runs, read_tests
from cytocurve.workflows.answers import load_answers
from cytocurve.workflows.stages.evaluate import evaluate
from tests.faults.harness import flipped
from tests.makers import project_with_results
from tests.projects import cytocurve, make_project, run

TABLE = pd.DataFrame({"image": ["a", "b", None], "p": [0.25, 0.5, 0.75], "fold": [0, 1, 2]})


def test_equal_tables_have_equal_bytes_and_are_read_back_unchanged() -> None:
    content = parquet_bytes(TABLE)
    assert content == parquet_bytes(TABLE.copy())
    assert parquet_from(content, "t").equals(TABLE)


def test_every_flipped_bit_of_a_table_is_reported_or_changes_nothing() -> None:
    """Nothing changes only where the flip hits the name of the checksum's own entry."""
    content, silent = parquet_bytes(TABLE), 0
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        try:
            assert parquet_from(bytes(damaged), "t").equals(TABLE)
            silent += 1
        except InputError as error:
            assert error.problem.startswith("t: ")  # noqa: PT017  either outcome is right
    assert silent <= len("cytocurve.sha256")


def test_tables_without_a_checksum_are_read_from_other_commits_only(tmp_path: Path) -> None:
    assert parquet_from(TABLE.to_parquet(index=False), "t").equals(TABLE)
    TABLE.to_parquet(tmp_path / "t.parquet", index=False)
    with pytest.raises(InputError, match="it has no checksum, so another program wrote or changed it") as caught:
        read_parquet(tmp_path / "t.parquet", "dvc repro split")
    assert caught.value.next_step == "remove it, then dvc repro split"


def test_what_a_table_was_made_of_is_read_back_and_part_of_the_checksum(tmp_path: Path) -> None:
    file, about = tmp_path / "t.parquet", {"sizes": [4, 8], "name": "größe"}
    write_parquet(file, TABLE, about)
    assert (read_about(file), read_parquet(file, "").equals(TABLE)) == (about, True)
    file.write_bytes(file.read_bytes().replace(b"[4, 8]", b"[4, 9]"))
    with pytest.raises(InputError, match="its content does not match its checksum"):
        read_parquet(file, "")
    write_parquet(file, TABLE)
    assert read_about(file) == {}


@pytest.mark.parametrize("seed", range(4))
def test_results_with_a_flipped_bit_are_rejected_with_their_file_and_the_next_step(seed: int, tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    arms = project.params().arms
    runs = read_runs(project, arms)
    flipped(project.predictions(arms[0]), seed)
    flipped(project.results(arms[1]), seed)
    with pytest.raises(InputError, match=f"{arms[0].name}.predictions.parquet: damaged") as caught:
        read_tests(project, arms, runs)
    assert caught.value.next_step == "dvc repro"
    with pytest.raises(InputError, match=f"{arms[1].name}.parquet: damaged"):
        read_runs(project, arms)
    done = cytocurve(tmp_path, "evaluate")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert not project.reports.exists()


def recorded(project: ProjectPaths, file: Path, content: bytes) -> Path:
    """A file as a stage wrote it, recorded in ``dvc.lock``, and its copy in DVC's cache."""
    name = hashlib.md5(content, usedforsecurity=False).hexdigest()
    copy = project.root / ".dvc/cache/files/md5" / name[:2] / name[2:]
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(content)
    path = file.relative_to(project.root).as_posix()
    (project.root / "dvc.lock").write_text(json.dumps({"stages": {"s": {"outs": [{"path": path, "md5": name}]}}}))
    return copy


def test_damaged_copy_in_the_dvc_cache_is_named(tmp_path: Path) -> None:
    """``dvc repro`` alone would restore the damaged copy for ever."""
    project = project_with_results(tmp_path)
    (arm, *_) = project.params().arms
    file = project.results(arm)
    copy = recorded(project, file, file.read_bytes())
    flipped(copy, seed=1)
    shutil.copyfile(copy, file)
    with pytest.raises(InputError) as caught:
        read_runs(project, [arm])
    assert str(copy) in caught.value.next_step
    assert caught.value.next_step.endswith("then dvc repro")


def test_damaged_catalog_is_rejected(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    write_parquet(project.catalog, TABLE)
    flipped(project.catalog, seed=0)
    with pytest.raises(InputError, match=r"catalog\.parquet: damaged"):
        read_catalog(project, "toy")
    project.catalog.unlink()
    write_parquet(project.catalog, TABLE)
    project.catalog.with_suffix(".json").write_text('{"dataset": "to')
    with pytest.raises(InputError, match=r"catalog\.json: damaged"):
        read_catalog(project, "toy")


DOCUMENT = {"name": "größe", "by size": {10: 0.25, 9: None}, "rows": [1, 2.0, True], "more": {"b": [], "a": ""}}


def test_equal_documents_have_equal_bytes_and_read_back_unchanged(tmp_path: Path) -> None:
    write_json(tmp_path / "one.json", DOCUMENT)
    write_json(tmp_path / "two.json", dict(DOCUMENT))
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert read_json(tmp_path / "one.json", "") == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize("indent", [None, 1])
def test_every_flipped_bit_of_a_document_is_reported_or_changes_nothing(indent: int | None, tmp_path: Path) -> None:
    """Nothing changes only where the flip hits the name of the checksum, which stays as an entry of its own."""
    content, expected = json_text(DOCUMENT, indent).encode(), json.loads(json.dumps(DOCUMENT))
    file = tmp_path / "document.json"
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        file.write_bytes(damaged)
        try:
            found = read_json(file, "dvc repro")
        except InputError as error:
            assert error.problem.startswith(f"{file}: damaged: ")  # noqa: PT017  either outcome is right
        else:
            assert {name: value for name, value in found.items() if name in expected} == expected


def test_documents_in_another_layout_are_read_but_those_without_a_checksum_on_request_only(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_text('{"sizes": [4]}')
    assert read_json(file, "", unchecked=True) == {"sizes": [4]}
    with pytest.raises(InputError, match="damaged: it has no checksum, so another program wrote or changed it"):
        read_json(file, "dvc repro")
    write_json(file, DOCUMENT)
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True, indent=4))
    assert read_json(file, "") == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize("content", ["", "[]", "null", '{"a": 1', "[" * 100_000, "\x80"])
def test_what_is_no_document_is_damaged(content: str, tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"document\.json: damaged"):
        read_json(file, "dvc repro")


def edited(file: Path, old: str, new: str) -> None:
    """Another value in a file, as an editor leaves it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """A study with all of its documents, made once."""
    project = project_with_results(tmp_path_factory.mktemp("finished"), sizes=[10], folds=3)
    write_json(project.split_settings, split_settings(project.params()))
    write_json(project.reports / "audit.json", {**AUDIT, "labels": ["expert"], "task": "blast"})
    evaluate(project, lambda done, total: None)
    return project


@pytest.fixture
def evaluated(finished: ProjectPaths, tmp_path: Path) -> ProjectPaths:
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    return ProjectPaths(tmp_path)


AUDIT = {
    "dataset": "toy", "images": 40, "counts": {"leakage": 0}, "offenders_at_most": 1000, "findings": [], "passed": [],
    "shortcuts": {}, "sizes": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "command", "makes"),
    [
        ("reports/answers.json", '"mean": 0.', '"mean": 0.9', ["report"], "dvc repro evaluate"),
        ("reports/answers.json", '"mean": 0.', '"mean": 0.9', ["figures"], "dvc repro evaluate"),
        ("reports/audit.json", '"leakage": 0', '"leakage": 9', ["evaluate"], "dvc repro audit"),
        ("build/split/settings.json", '"split_seed": 0', '"split_seed": 9', ["evaluate"], "dvc repro split"),
    ],
)
def test_an_edited_document_is_refused_with_its_file_and_the_command_that_makes_it(
    name: str, old: str, new: str, command: list[str], makes: str, evaluated: ProjectPaths
) -> None:
    edited(evaluated.root / name, old, new)
    done = cytocurve(evaluated.root, *command)
    assert done.returncode == 2
    assert f"{name}: damaged: its content does not match its checksum" in done.stderr
    assert makes in done.stderr
    assert "Traceback" not in done.stderr


def test_an_edited_record_of_the_catalog_is_refused(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    write_parquet(project.catalog, TABLE)
    write_json(project.catalog.with_suffix(".json"), {"dataset": "other", "images": 3})
    edited(project.catalog.with_suffix(".json"), "other", "toy")
    with pytest.raises(InputError, match=r"catalog\.json: damaged: its content") as caught:
        read_catalog(project, "toy")
    assert caught.value.next_step.endswith("dvc repro catalog")


@pytest.mark.parametrize("seed", range(4))
def test_flipped_answers_are_refused_and_intact_ones_are_read(seed: int, evaluated: ProjectPaths) -> None:
    assert load_answers(evaluated.answers) == read_answers(evaluated)
    flipped(evaluated.answers, seed)
    for read in (load_answers, lambda path: read_answers(evaluated)):
        with pytest.raises(InputError, match=r"answers\.json: damaged") as caught:
            read(evaluated.answers)
        assert caught.value.next_step.endswith("dvc repro evaluate")


def test_a_damaged_document_in_the_cache_of_dvc_is_named(evaluated: ProjectPaths) -> None:
    copy = recorded(evaluated, evaluated.answers, evaluated.answers.read_bytes())
    flipped(copy, seed=1)
    shutil.copyfile(copy, evaluated.answers)
    with pytest.raises(InputError) as caught:
        read_answers(evaluated)
    assert str(copy) in caught.value.next_step


@pytest.mark.slow
def test_results_are_restored_by_following_the_message_about_a_damaged_cache(tmp_path: Path) -> None:
    project = ProjectPaths(make_project(tmp_path / "project", sizes=[4], folds=3))
    (arm,) = project.params().arms
    run(project.root, "dvc", "repro", f"sweep@{arm.name}").check_returncode()
    file = project.predictions(arm)
    before = file.read_bytes()
    name = hashlib.md5(before, usedforsecurity=False).hexdigest()
    flipped(project.root / ".dvc/cache/files/md5" / name[:2] / name[2:], seed=2)
    file.unlink()
    run(project.root, "dvc", "checkout", str(file.relative_to(project.root)))
    with pytest.raises(InputError) as caught:
        read_tests(project, [arm], read_runs(project, [arm]))
    for path in caught.value.next_step.removeprefix("remove ").partition(", since")[0].split(", "):
        Path(path).unlink()
    run(project.root, "dvc", "repro", f"sweep@{arm.name}").check_returncode()
    assert file.read_bytes() == before
