"""``cytocurve code``: the stage that tells the others whether their code changed."""

from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show


@click.command()
@as_json
def code(machine: bool) -> None:
    """Stage: digests of each stage's code -> build/code/.

    Also points a study made by `cytocurve init` to the cytocurve that is installed here: run it once after
    cloning or moving a study.
    """
    from cytocurve.workflows.stages.code import code as run

    counts = run(current_project())
    show(machine, counts, lambda: _listed(counts))


def _listed(counts: dict[str, Any]) -> str:
    return "\n".join(f"{stage}: {count} modules and files" for stage, count in counts.items())
