"""A process that ends with the one that started it: `python -m flows.child PARENT MODULE ...` becomes that module.

It runs in a process group of its own: Ctrl-C reaches the flow alone, which stops what it started in order.
"""

import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from os import getpid
from typing import IO

from components.processes import die_with_parent


def start(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    log: IO[bytes] | int,
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `python -m module arguments`; its standard error goes to `log`, its standard output nowhere or to `output`.

    The thread that calls this must outlive the child: the kernel takes the thread for the parent.
    """
    command: Sequence[str] = [sys.executable, "-m", "flows.child", str(getpid()), module, *arguments]
    return subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=log, process_group=0
    )


def main() -> None:
    """Become the module that the command line names."""
    parent, module = sys.argv[1:3]
    die_with_parent(int(parent))
    sys.argv[1:3] = []
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
