"""``cytocurve code``: the stage that detects code changes for all other stages."""

import click

from cytocurve.cli.shared import current_project, json_option, show


@click.command()
@json_option
def code(json_output: bool) -> None:
    """Stage: digest each stage's code -> build/code/.

    In a study created by `cytocurve init`, it also links the installed cytocurve: run it once after cloning or
    moving the study.

    \b
    cytocurve code                print how many modules and files each stage depends on
    """
    counts = current_project().code()
    lines = (f"{stage} depends on {count} modules and files" for stage, count in counts.items())
    show(json_output, counts, lambda: "\n".join(lines))
