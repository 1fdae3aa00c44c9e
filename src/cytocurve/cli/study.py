"""``cytocurve study``: published experiments."""

import click

from cytocurve.cli.shared import as_json, current_project, show


@click.group()
def study() -> None:
    """Published experiments: short files of what differs from params.yaml."""


@study.command("list")
@as_json
def study_list(machine: bool) -> None:
    """List the studies of studies/."""
    from cytocurve.study.presets import studies

    figures = studies(current_project())
    show(machine, figures, lambda: "\n".join(f"{name}: {title}" for name, title in figures.items()))


@study.command("use")
@click.argument("name")
def study_use(name: str) -> None:
    """Write what the study NAME states into params.yaml, its comments kept.

    \b
    cytocurve study use schouten-all-binary && dvc repro
    """
    from cytocurve.study.presets import use

    changed = use(current_project(), name)
    click.echo("\n".join(["params.yaml:", *(f"  {key}: {value}" for key, value in changed.items()), "Next: dvc repro"]))
