"""``cytocurve ui``: browse the local tracking store in MLflow."""

import os

import click

from cytocurve.cli.shared import current_project


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(port: int) -> None:
    """Serve MLflow's user interface for the local store.

    Startup can take half a minute.

    \b
    cytocurve ui --port 5001      then open the printed link
    """
    server = current_project().ui_server(port)
    click.echo(f"Learning curves: {server.url} (stop with Ctrl+C)\nStartup can take half a minute.", err=True)
    os.execve(server.command[0], list(server.command), os.environ | server.environment)
