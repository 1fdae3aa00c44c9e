"""``cytocurve ui``: MLflow's pages on the local tracking store."""

import os

import click

from cytocurve.cli.shared import current_project


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(port: int) -> None:
    """Open MLflow's pages on the local tracking store; they take up to half a minute to answer.

    \b
    cytocurve ui --port 5001      then open the link that it prints
    """
    from cytocurve.stores.tracking.connection import curves_page, ui_command

    project = current_project()
    command, environment = ui_command(project.tracking_uri, project.tracking_lock, port)
    params = project.params()
    page = curves_page(project.tracking_uri, project.tracking_lock, f"{params.dataset}/{params.task_name}")
    click.echo(
        f"Learning curves, overlaid: http://127.0.0.1:{port}/{page} (Ctrl+C ends it)\n"
        "The pages take up to half a minute to answer.",
        err=True,
    )
    os.execve(command[0], command, os.environ | environment)
