"""The command line: parses, calls, prints, and maps errors to exit codes.

Stages are imported when they run, so that ``--help`` answers at once and nothing that trains no network loads
TensorFlow.
"""

import sys
from typing import NoReturn

import click

from cytocurve import __version__
from cytocurve.cli import audit, code, compare, data, init, labels, lineage, plan, report, review, stages, study, ui
from cytocurve.errors import CytocurveError

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 a check said no, 2 wrong usage or input, 3 a service is missing."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytocurveError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. What is finished is kept; the same command goes on from there.", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """How many labelled blood cells are enough? Learning-curve studies with DVC, MLflow and Keras.

    \b
    dvc repro                     compute whatever changed, from images to a registered model
    cytocurve plan --target 0.95  how many labelled images that needs
    cytocurve compare             whether the arms really differ
    cytocurve ui                  look at runs and curves in MLflow's pages
    cytocurve data add pbc PATH   bring in a dataset; then name it in params.yaml
    """


cli.add_command(data.data)
for _command in (lineage.trace, lineage.withdraw):
    data.data.add_command(_command)
cli.add_command(labels.labels)
labels.labels.add_command(review.review)
for _stage in (
    stages.catalog,
    stages.split,
    audit.audit,
    stages.sweep,
    stages.publish,
    stages.evaluate,
    stages.register,
):
    cli.add_command(_stage)
for _answer in (plan.plan, compare.compare, report.report, report.figures):
    cli.add_command(_answer)
cli.add_command(ui.ui)
cli.add_command(study.study)
cli.add_command(init.init)
cli.add_command(code.code)
