"""``cytocurve init`` makes a study directory that works where cytocurve is only installed."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cytocurve as package
from cytocurve.config import validate_params
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.workflows.init import FILES, init
from cytocurve.workflows.stages.code import LINK, link_package
from cytocurve.yaml_files import read_yaml
from tests.projects import BIN, ROOT, SMALL, cytocurve, draw_cell, run, write_params

TEMPLATES = ROOT / "src" / "cytocurve" / "templates"


def test_pipeline_template_equals_dvc_yaml_except_for_the_package_path() -> None:
    clone = (ROOT / "dvc.yaml").read_text()
    assert (TEMPLATES / "pipeline.yaml").read_text() == clone.replace("src/cytocurve", LINK)


def test_plots_page_template_equals_the_clones_except_for_the_package_path() -> None:
    clone = (ROOT / ".dvc" / "plots" / "page.html").read_text()
    assert (TEMPLATES / "plots_page.html").read_text() == clone.replace("src/cytocurve", LINK)


def keys_and_comments(path: Path) -> list[str]:
    """The file without the values, which ``cytocurve study use`` changes in a clone."""
    return [re.sub(r"(?<=:) +[^#]*(?=#|$)", "  ", line) for line in path.read_text().splitlines() if line[:1] != " "]


def test_params_template_has_the_keys_and_comments_of_the_clone() -> None:
    assert keys_and_comments(TEMPLATES / "params.yaml") == keys_and_comments(ROOT / "params.yaml")


def test_params_template_is_valid() -> None:
    validate_params(read_yaml(TEMPLATES / "params.yaml"), "params.yaml")


@pytest.mark.parametrize(
    ("template", "original"),
    [
        ("dvc_config", ".dvc/config"),
        ("dvc_gitignore", ".dvc/.gitignore"),
        ("dvcignore", ".dvcignore"),
        ("learning_curve.json", ".dvc/plots/learning_curve.json"),
    ],
)
def test_templates_equal_the_files_of_the_clone(template: str, original: str) -> None:
    assert (TEMPLATES / template).read_bytes() == (ROOT / original).read_bytes()


def test_every_template_is_used() -> None:
    assert sorted(FILES.values()) == sorted(path.name for path in TEMPLATES.iterdir())


def test_init_creates_a_git_repository_with_all_files_and_no_source_paths(tmp_path: Path) -> None:
    study = tmp_path / "deep" / "study"
    assert init(study) == list(FILES)
    assert (study / ".git").is_dir()
    assert all((study / name).is_file() for name in FILES)
    assert (study / LINK).resolve() == Path(package.__file__).parent
    assert "src/" not in (study / "dvc.yaml").read_text()
    assert len((study / "README.md").read_text().splitlines()) == 10


def test_package_copy_that_dvc_puts_in_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    """As `dvc exp run --temp --copy-paths .cytocurve/package` does."""
    copy = tmp_path / LINK
    copy.mkdir(parents=True)
    link_package(tmp_path)
    assert copy.is_dir()
    assert not copy.is_symlink()


def test_init_inside_a_git_repository_creates_no_other(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    init(tmp_path / "study")
    assert not (tmp_path / "study" / ".git").exists()


def test_init_accepts_an_empty_repository_with_an_environment(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".venv").mkdir()
    assert init(tmp_path) == list(FILES)


def test_init_rejects_a_directory_with_files_and_lists_all_of_them(tmp_path: Path) -> None:
    for name in ("thesis.tex", "params.yaml"):
        (tmp_path / name).write_text("mine")
    done = cytocurve(tmp_path, "init", ".")
    assert done.returncode == 2
    assert "  - params.yaml\n  - thesis.tex\n" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "thesis.tex"]


def test_init_rejects_a_study_that_differs_from_a_new_one(tmp_path: Path) -> None:
    init(tmp_path / "study")
    write_params(tmp_path / "study")
    with pytest.raises(InputError, match="already contains a study"):
        init(tmp_path / "study")


def test_init_of_a_complete_unchanged_study_succeeds_and_creates_nothing(tmp_path: Path) -> None:
    """As after a kill between the last file and the message."""
    init(tmp_path / "study")
    before = contents(tmp_path / "study")
    assert init(tmp_path / "study") == []
    assert contents(tmp_path / "study") == before
    assert "already contains a complete study" in cytocurve(tmp_path, "init", "study").stdout


def test_concurrent_inits_of_one_directory_create_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(init, [tmp_path / "study"] * 4))
    assert sorted(map(len, created)) == [0, 0, 0, len(FILES)]


def test_init_rejects_a_file(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("")
    with pytest.raises(InputError, match="not a directory"):
        init(tmp_path / "study")


@pytest.mark.parametrize("written", range(len(FILES)))
def test_interrupted_init_is_completed_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    whole, study = tmp_path / "whole", tmp_path / "study"
    init(whole)
    calls: list[Path] = []

    def cut_off(path: Path, text: str) -> None:
        if len(calls) == written:
            path.parent.mkdir(exist_ok=True)
            path.with_name(f".{path.name}.{'0' * 32}").write_text(text[:9])
            raise KeyboardInterrupt
        calls.append(path)
        write_text(path, text)

    with monkeypatch.context() as patched:
        patched.setattr("cytocurve.workflows.init.write_text", cut_off)
        with pytest.raises(KeyboardInterrupt):
            init(study)
    assert not (study / "dvc.yaml").exists()
    init(study)
    assert contents(study) == contents(whole)


def contents(study: Path) -> dict[str, str]:
    files = [path for path in study.rglob("*") if ".git/" not in path.as_posix() and path.is_file()]
    return {path.relative_to(study).as_posix(): path.read_text() for path in files if ".cytocurve" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment outside the clone, with the wheel of this clone and the libraries of this one."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    wheels = ["wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), "."]
    run(source, str(BIN / "python"), "-m", "pip", *wheels).check_returncode()
    run(folder, str(BIN / "python"), "-m", "venv", "--without-pip", "env").check_returncode()
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    libraries = Path(pytest.__file__).parent.parent
    (site / "libraries.pth").write_text(f"{libraries}\n")
    (wheel,) = folder.glob("cytocurve-*.whl")
    pip = ["--python", str(folder / "env" / "bin" / "python"), "install", "-q", "--no-deps", "--no-index", str(wheel)]
    run(folder, str(BIN / "python"), "-m", "pip", *pip, "--ignore-installed").check_returncode()
    shutil.rmtree(source)
    return folder / "env" / "bin"


def outside(study: Path, scripts: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with the installed cytocurve alone: no path leads to the clone."""
    program, *arguments = command
    start = [str(scripts / "python"), "-m", "dvc"] if program == "dvc" else [str(scripts / program)]
    path = f"{scripts}:/usr/bin:/bin"
    done = run(study, *start, *arguments, PATH=path, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def ran(study: Path, scripts: Path) -> list[str]:
    output = outside(study, scripts, "dvc", "repro").stdout
    return re.findall(r"Running stage '(\w+)", output)


@pytest.mark.slow
def test_study_of_an_installed_cytocurve_runs_and_an_upgrade_reruns_the_stages_it_changed(
    installed: Path, tmp_path: Path
) -> None:
    where = outside(tmp_path, installed, "python", "-c", "import cytocurve; print(cytocurve.__file__)").stdout.strip()
    site = Path(where).parent
    assert site.is_relative_to(installed.parent)
    for number in range(40):
        label = "dark" if number % 2 else "light"
        (tmp_path / "cells" / label).mkdir(parents=True, exist_ok=True)
        draw_cell(number, label == "dark").save(tmp_path / "cells" / label / f"{number:02d}.png")
    outside(tmp_path, installed, "cytocurve", "init", "study")
    study = tmp_path / "study"
    outside(study, installed, "cytocurve", "data", "add", "folder", str(tmp_path / "cells"), "--as", "toy")
    write_params(study, **{**SMALL, "sizes": [4, 8]})

    stages = ["code", "settings", "catalog", "split", "audit", "sweep", "evaluate", "register", "challenger"]
    assert sorted(ran(study, installed)) == sorted(stages)
    assert (study / "reports" / "report.html").is_file()
    assert (study / "build" / "code" / "evaluate").is_file()
    assert "up to date" in outside(study, installed, "dvc", "status").stdout
    assert ran(study, installed) == []

    for module in ("report/headline.py", "datasets/starter/painter.py"):
        with (site / module).open("a") as file:
            file.write("UPGRADED = 1\n")
    assert LINK in outside(study, installed, "dvc", "status").stdout
    assert ran(study, installed) == ["code", "evaluate"]
    with (site / "study" / "selection.py").open("a") as file:
        file.write("# only a comment\n")
    assert ran(study, installed) == ["code"]
    assert "up to date" in outside(study, installed, "dvc", "status").stdout
