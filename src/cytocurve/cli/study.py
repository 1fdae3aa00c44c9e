"""``cytocurve study``: published experiments."""

import click

from cytocurve.cli.shared import current_project, json_option, show


@click.group()
def study() -> None:
    """Published experiments: presets for params.yaml.

    \b
    cytocurve study list
    cytocurve study use schouten-all-binary
    """


@study.command("list")
@json_option
def study_list(json_output: bool) -> None:
    """List the studies in studies/.

    \b
    cytocurve study list
    """
    titles = current_project().study_list()
    lines = [f"{name}: {title}" for name, title in titles.items()] or ["There are no studies in studies/."]
    show(json_output, titles, lambda: "\n".join(lines))


@study.command("use")
@click.argument("name")
def study_use(name: str) -> None:
    """Write the settings of study NAME into params.yaml.

    Comments in params.yaml are kept.

    \b
    cytocurve study use schouten-all-binary && dvc repro
    """
    changed = current_project().study_use(name)
    click.echo("\n".join(["params.yaml:", *(f"  {key}: {value}" for key, value in changed.items()), "Next: dvc repro"]))
