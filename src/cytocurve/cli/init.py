"""``cytocurve init``: create a study directory."""

from pathlib import Path

import click

from cytocurve.api import Project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Create a study directory in DIR, which must be new or empty.

    \b
    cytocurve init my-study && cd my-study
    cytocurve data add folder ~/cells --as cells
    dvc repro
    """
    created = Project.init(folder)
    click.echo("\n".join([f"Created a study in {folder}:", *(f"  {name}" for name in created)]))
    click.echo(f"Next: cd {folder}, add a dataset (cytocurve data add), set it in params.yaml, then dvc repro")
