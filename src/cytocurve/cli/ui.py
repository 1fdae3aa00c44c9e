"""``cytocurve ui``: MLflow's pages on the local tracking store."""

import os

import click

from cytocurve.cli.shared import current_project


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(port: int) -> None:
    """Open MLflow's pages on the local tracking store; starting up can take half a minute.

    \b
    cytocurve ui --port 5001      then open the link that it prints
    """
    server = current_project().ui_server(port)
    click.echo(
        f"Learning curves, overlaid: {server.url} (stop with Ctrl+C)\nStarting up can take half a minute.", err=True
    )
    os.execve(server.command[0], list(server.command), os.environ | server.environment)
