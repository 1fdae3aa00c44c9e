"""``cytocurve code``: the stage that tells the others whether their code changed."""

import click

from cytocurve.cli.shared import current_project, json_option, show


@click.command()
@json_option
def code(json_output: bool) -> None:
    """Stage: digests of each stage's code -> build/code/.

    Also points a study made by `cytocurve init` to the cytocurve that is installed here: run it once after
    cloning or moving a study.
    """
    counts = current_project().code()
    lines = (f"{stage}: {count} modules and files" for stage, count in counts.items())
    show(json_output, counts, lambda: "\n".join(lines))
