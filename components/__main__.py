"""phys4d, also `python -m components`: runs a command and turns its end into an exit code and one line."""

import os
import signal
import sys
import traceback

from components.errors import ExitCode, Phys4dError, StoppedError
from components.stopping import stop_at_once

QUIET = {  # nothing phones home unless the user says so
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def main() -> None:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, stop_at_once)  # before anything heavy is loaded
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    arguments = sys.argv[1:] or ["--help"]
    debug = "--debug" in arguments
    sys.exit(run([argument for argument in arguments if argument != "--debug"], debug=debug))


def run(arguments: list[str], *, debug: bool) -> int:
    """The exit code of a command line; an error is one line on standard error, with `debug` a traceback before it."""
    try:
        from components.cli import app

        status = app(arguments, standalone_mode=False)
        if not status:
            return ExitCode.DONE
        raise StoppedError("interrupted")  # what typer makes of Ctrl-C
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the outermost frame: all becomes an exit code
        if debug:
            traceback.print_exc()
        code, message = explain(error)
        sys.stderr.write(f"phys4d: {' '.join(message.split())}\n")
        return int(code)


def explain(error: BaseException) -> tuple[ExitCode, str]:
    """The exit code of an error and what to say of it."""
    from typer.exceptions import TyperException

    if isinstance(error, Phys4dError):
        return error.code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.STOPPED, "interrupted"
    if isinstance(error, TyperException):
        return ExitCode.BAD_PARAMETERS, error.format_message()
    return ExitCode.FAILED, f"{type(error).__name__}: {error} (--debug shows where)"


if __name__ == "__main__":
    main()
