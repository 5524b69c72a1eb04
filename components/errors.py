"""What can go wrong, as exit codes and the exceptions that carry them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command; a scheduler decides by them whether to retry."""

    DONE = 0
    FAILED = 1
    GATE_REFUSED = 65
    STOPPED = 75
    BAD_PARAMETERS = 78


class Phys4dError(Exception):
    """A failure the user can act on: one line that says what was wrong, where, what was expected and what to do."""

    code = ExitCode.FAILED


class ParametersError(Phys4dError):
    """Parameters, a manifest or command-line arguments are wrong; a retry cannot help."""

    code = ExitCode.BAD_PARAMETERS


class GateRefusedError(Phys4dError):
    """A data or promotion gate refused; the message names the rows."""

    code = ExitCode.GATE_REFUSED


class StoppedError(Phys4dError):
    """A signal asked the command to stop; finished work was saved and the same command resumes it."""

    code = ExitCode.STOPPED


class ClipError(Phys4dError):
    """A clip, shard or index breaks the data contract; the message names the clip and the file."""
