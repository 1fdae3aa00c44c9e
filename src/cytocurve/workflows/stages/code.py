"""Stage ``code``: digest the code of every stage, so that DVC re-runs exactly the stages whose code changed.

DVC compares files byte by byte and cannot follow imports. This stage depends on the whole package, takes about a
second, and writes one file per stage, ``build/code/<stage>``, with a digest of the statements of each module that the
stage can reach, plug-ins included. Every other stage depends only on its own file. After an edit or an upgrade,
``dvc status`` reports this stage, and ``dvc repro`` runs it and then the stages whose file changed: none after an edit
of comments.

DVC does not look at the files of a plug-in unless they are dependencies of this stage in ``dvc.yaml``.

In a clone the package is ``src/cytocurve``. A study created by ``cytocurve init`` reaches the installed package through
the link ``.cytocurve/package``, a path that is the same on every machine, so that ``dvc.lock`` is portable.
"""

from collections.abc import Mapping
from pathlib import Path

from cytocurve import closure, registry
from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.files import scratch_of, write_text
from cytocurve.models import fingerprint

LINK = ".cytocurve/package"
"""Path of the link to the installed package, below the root of a study created by ``cytocurve init``."""

STAGES = "cytocurve.workflows.stages"

DATASETS = "cytocurve.datasets.*"
"""Modules used by ``data add``; the stages only read its output below ``data/``."""

DRAWING = ("cytocurve.datasets.starter.drawing", "cytocurve.datasets.starter.painter")

WITHOUT: Mapping[str, tuple[str, ...]] = {
    "settings": (DATASETS,),
    "catalog": DRAWING,  # the stage checks labels against the dataset's classes
    "split": (DATASETS,),
    "audit": (DATASETS,),
    "sweep": (DATASETS,),
    "evaluate": (DATASETS,),
    "register": (DATASETS,),
    "challenger": (DATASETS,),
}
"""Modules that each stage can import but never uses."""

SHOWING = ("cytocurve.progress",)
"""Excluded from every stage, since progress display does not affect any file."""


def code(project: ProjectPaths) -> dict[str, int]:
    """Write ``build/code/<stage>`` for every stage; returns the number of modules and data files per stage."""
    if not (project.root / "dvc.yaml").is_file():
        raise InputError(f"{project.root / 'dvc.yaml'}: no such file", next_step="cytocurve init DIR, or -C DIR")
    if _needs_link(project.root):
        link_package(project.root)
    digests = stage_digests()
    for stage, lines in digests.items():
        text = "".join(f"{digest}  {name}\n" for name, digest in lines.items())
        write_text(project.root / "build" / "code" / stage, text)
    return {stage: len(lines) for stage, lines in digests.items()}


def stage_digests(folder: Path | None = None) -> dict[str, dict[str, str]]:
    """The digests of the modules and data files that each stage can reach, by stage and name.

    ``folder`` contains the sources of the package, by default those of the running package.
    """
    package = closure.Package("cytocurve", folder or _package())
    reached = {
        stage: _with_plugins(package.closure([f"{STAGES}.{stage}"], excluded(stage)), stage) for stage in WITHOUT
    }
    digests = {path: closure.digest(path) for files in reached.values() for path in files.values()}
    return {stage: {name: digests[path] for name, path in files.items()} for stage, files in reached.items()}


def _with_plugins(reached: closure.Sources, stage: str) -> closure.Sources:
    """What a stage can reach, with the plug-ins of the families that it looks up, and all that these import."""
    families = [name for name, file in reached.items() if file.name == "__init__.py"]
    roots = [
        module
        for family in families
        for name, module in registry.plugins(family).items()
        if f"{family}.{name}" not in reached and not closure.is_excluded(f"{family}.{name}", excluded(stage))
    ]
    return dict(sorted({**fingerprint.closure(*roots, without=excluded(stage)), **reached}.items()))


def excluded(stage: str) -> tuple[str, ...]:
    """The modules excluded from a stage's digests; ``a.b.*`` means everything below ``a.b``."""
    return (*WITHOUT[stage], *SHOWING)


def _package() -> Path:
    return Path(__file__).resolve().parents[2]


def link_package(root: Path) -> None:
    """Make ``LINK`` below ``root`` point to this package.

    A directory in its place is the copy that ``dvc exp run --temp --copy-paths`` makes of a link, and stays.
    """
    link = root / LINK
    if link.is_dir() and not link.is_symlink():
        return
    if link.is_symlink() and link.readlink() == _package():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    scratch = scratch_of(link)
    scratch.symlink_to(_package(), target_is_directory=True)
    scratch.replace(link)


def _needs_link(root: Path) -> bool:
    definition = root / "dvc.yaml"
    return definition.is_file() and LINK in definition.read_text(encoding="utf-8")
