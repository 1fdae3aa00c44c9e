"""An import closure contains the code that a module can reach, and its digests depend only on statements."""

from pathlib import Path

import pytest

from cytocurve.closure import Package, digest, statements

SOURCES = {
    "__init__.py": "from zoo import cage",
    "cage/__init__.py": "",
    "cage/lion.py": "import zoo.food.meat\nfrom zoo import keeper",
    "cage/zebra.py": "if TYPE_CHECKING:\n    from zoo.food import hay\nelse:\n    import os",
    "cage/ape.py": "def feed():\n    from zoo.food import fruit",
    "cage/seal.py": "from . import zebra\nfrom ..food.fish import herring",
    "food/__init__.py": "",
    "food/meat.py": "",
    "food/fish.py": "herring = 1",
    "food/hay.py": "",
    "food/fruit.py": "",
    "food/menus/monday.txt": "soup",
    "keeper.py": "from zoo.cage import lion",
    "parade/__init__.py": "import importlib\ndef load(name):\n    return importlib.import_module(f'{__name__}.{name}')",
    "parade/camel.py": "",
    "parade/horse.py": "",
    "parade/_tack.py": "",
    "office/__init__.py": "import logging\nlogger = logging.getLogger(__name__)",
    "office/cash.py": "",
}


@pytest.fixture
def zoo(tmp_path: Path) -> Package:
    for name, source in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(source)
    return Package("zoo", tmp_path)


def reached(zoo: Package, root: str, *without: str) -> set[str]:
    return {name.removeprefix("zoo.") for name in zoo.closure([f"zoo.{root}"], without)}


def test_closure_contains_transitive_imports_their_packages_and_package_data(zoo: Package) -> None:
    assert reached(zoo, "cage.lion") == {"cage", "cage.lion", "food", "food.meat", "food/menus/monday.txt", "keeper"}


def test_closure_contains_imports_inside_functions(zoo: Package) -> None:
    assert "food.fruit" in reached(zoo, "cage.ape")


def test_closure_excludes_imports_for_type_checkers(zoo: Package) -> None:
    assert reached(zoo, "cage.zebra") == {"cage", "cage.zebra"}


def test_closure_resolves_relative_imports(zoo: Package) -> None:
    assert {"cage.zebra", "food.fish"} <= reached(zoo, "cage.seal")


def test_closure_of_a_registry_contains_all_its_members(zoo: Package) -> None:
    assert reached(zoo, "parade") == {"parade", "parade.camel", "parade.horse"}


def test_closure_of_a_package_with_a_logger_contains_no_members(zoo: Package) -> None:
    assert reached(zoo, "office") == {"office"}


@pytest.mark.parametrize("rule", ["zoo.keeper", "zoo.keep.*", "zoo.cage.*"])
def test_closure_does_not_follow_excluded_modules(zoo: Package, rule: str) -> None:
    assert ("keeper" in reached(zoo, "cage.lion", rule)) == (rule == "zoo.keep.*")


@pytest.mark.parametrize(
    ("source", "same"),
    [("a = 1  # why", True), ('"""What."""\na = 1', True), ("a = (\n    1)", True), ("a = 2", False), ("b = 1", False)],
)
def test_digest_of_python_depends_only_on_statements(tmp_path: Path, source: str, same: bool) -> None:
    (tmp_path / "old.py").write_text("a = 1")
    (tmp_path / "new.py").write_text(source)
    assert (digest(tmp_path / "old.py") == digest(tmp_path / "new.py")) == same


def test_digest_of_other_files_depends_on_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "old.js").write_text("a // why")
    (tmp_path / "new.js").write_text("a")
    assert digest(tmp_path / "old.js") != digest(tmp_path / "new.js")


def test_statements_of_a_function_with_only_a_docstring_remain_valid_python() -> None:
    assert statements('def f():\n    """What."""') == "def f():\n    pass"
