"""``cytocurve init``: create a study directory."""

from pathlib import Path

import click

from cytocurve.api import Project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Create a study directory in DIR, which must be new or empty.

    Rerun an interrupted call to complete it.

    \b
    cytocurve init my-study && cd my-study
    cytocurve data add folder ~/cells --as cells
    (put the settings that this prints into params.yaml)
    dvc repro
    """
    created = Project.init(folder)
    if created:
        click.echo("\n".join([f"Created a study in {folder}:", *(f"  {name}" for name in created)]))
    else:
        click.echo(f"{folder} already contains a complete study; nothing was changed")
    click.echo(
        f"Next: cd {folder}, add a dataset (cytocurve data add), put the settings that it prints into params.yaml, "
        "then dvc repro. DVC compares experiments with commits, so commit the study with git before the first one."
    )
