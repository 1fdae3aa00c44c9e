"""The command line: parse arguments, call one method of ``cytocurve.Project``, print, map errors to exit codes."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from cytocurve import __version__
from cytocurve.cli import (
    audit,
    code,
    compare,
    data,
    init,
    labels,
    lineage,
    plan,
    report,
    review,
    stages,
    study,
    ui,
    validate,
)
from cytocurve.errors import CytocurveError, from_os_error

STOPPING = (signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))
"""Signals that end a command as Ctrl+C does; ``nohup`` makes a command ignore the second."""


def main() -> NoReturn:
    """Run the command line and exit with 0 (done), 1 (failure), 2 (wrong usage or input) or 3 (service unavailable)."""
    handler = _log_to_stderr()
    received = [signal.SIGINT]
    try:
        with _stopped_by(received):
            code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytocurveError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        with suppress(OSError):  # the terminal may be gone
            click.echo("Interrupted. Finished runs are kept. Rerun the same command to resume.", err=True)
        sys.exit(128 + received[-1])
    except OSError as error:
        failure = from_os_error(error)
        click.echo(f"error: {failure}", err=True)
        sys.exit(failure.exit_code)
    finally:
        logging.getLogger("cytocurve").removeHandler(handler)
    sys.exit(code or 0)


@contextmanager
def _stopped_by(received: list[signal.Signals]) -> Iterator[None]:
    """Let the signals in ``STOPPING`` interrupt the block, and append them to ``received``.

    Their default ends a process at once: temporary files and DVC's own process would be left behind.
    """

    def stop(number: int, _: FrameType | None) -> NoReturn:
        received.append(signal.Signals(number))
        raise KeyboardInterrupt

    main_thread = threading.current_thread() is threading.main_thread()
    handled = [each for each in STOPPING if main_thread and signal.getsignal(each) == signal.SIG_DFL]
    for each in handled:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, signal.SIG_DFL)


class _Lines(logging.Formatter):
    """Messages without time and level, warnings with a prefix."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        text = record.getMessage()
        return f"warning: {text}" if record.levelno >= logging.WARNING else text


def _log_to_stderr() -> logging.Handler:
    """Print the logger ``cytocurve``, which receives progress if stderr is not a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logger = logging.getLogger("cytocurve")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Run as if started in DIR; relative paths in other arguments are relative to DIR, as in git -C.",
)
@click.pass_context
def cli(context: click.Context, directory: Path | None) -> None:
    """How many labeled blood cells are enough? Learning-curve studies with DVC, MLflow and Keras.

    \b
    dvc repro                     run all stages that changed, from images to a registered model
    cytocurve plan --target 0.95  forecast how many labeled images a target score needs
    cytocurve compare             test whether arms differ
    cytocurve ui                  browse runs and learning curves in MLflow
    cytocurve data add pbc PATH   add a dataset; then set it in params.yaml
    """
    if directory is not None:
        context.with_resource(chdir(directory))


cli.add_command(data.data)
for _command in (lineage.trace, lineage.withdraw):
    data.data.add_command(_command)
cli.add_command(labels.labels)
labels.labels.add_command(review.review)
for _stage in (
    stages.settings,
    stages.catalog,
    stages.split,
    audit.audit,
    stages.sweep,
    stages.publish,
    stages.evaluate,
    stages.register,
    stages.challenger,
):
    cli.add_command(_stage)
for _answer in (plan.plan, compare.compare, validate.validate, report.report, report.figures):
    cli.add_command(_answer)
cli.add_command(ui.ui)
cli.add_command(study.study)
cli.add_command(init.init)
cli.add_command(code.code)
