"""The whole pipeline, here and now: `python -m flows.pipeline`, which `phys4d run` is.

Prefect runs the stages that DVC finds out of date; it needs no server to be prepared. When nothing is out of date, it
is not even started. The last lines on standard output are the verdict on the model and the path of the report.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from components.__main__ import QUIET, explain
from components.errors import ParametersError, StoppedError
from components.parameters.loader import load_params
from components.pipeline.execution import project_root
from components.pipeline.graph import load_graph
from components.pipeline.stale import stale_stages
from components.report.run_record import write_copy
from flows.promotion import judge
from flows.request import read_request
from flows.server import configure, start_server
from flows.summary import Outcome
from flows.turn import turn
from flows.work import REPORT, whole


def main() -> None:
    """Run the pipeline and exit with the code of what went wrong, if anything did."""
    signal.signal(signal.SIGTERM, _stop)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        arguments = _arguments().parse_args()
        os.chdir(project_root())
        report = run(arguments.stages, force=arguments.force, parallel=arguments.parallel, retries=arguments.retries)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the outermost frame: all becomes an exit code
        code, message = explain(error)
        sys.stderr.write(f"phys4d: {' '.join(message.split())}\n")
        sys.exit(int(code))
    if arguments.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    verdicts = report["verdicts"]
    lines = [f"verdict: {text}" for text in (verdicts.values() if isinstance(verdicts, dict) else ())]
    lines += [f"report: {report['report']}"] if report["report"] else []
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def run(stages: Sequence[str], *, force: bool, parallel: int | None, retries: int) -> dict[str, object]:
    """Bring the project up to date: the stages that ran, the verdicts by backbone, and the path of the report.

    That is None when the report is not among `stages`.
    """
    root, params = Path.cwd(), load_params()
    graph = load_graph(root)
    values = {"stages": list(stages), "force": force, "parallel": parallel, "retries": retries}
    work = whole(read_request(values, params=params, graph=graph), graph, params)
    outcome = None
    with turn(root, stopped=lambda: False, say=_say):  # a signal ends the wait; the flow waits for a turn of its own
        if not work.plan(root, stale_stages(root), force=force).stale:
            _say("everything is up to date")
            verdicts = {backbone: judge(root, backbone, params) for backbone in work.judged}
            report = str(write_copy(root, graph)) if REPORT in work.targets else None
            outcome = Outcome(stages=(), verdicts=verdicts, report=report)
    outcome = outcome or _run_flow(root, values)
    texts = {backbone: judged.text for backbone, judged in outcome.verdicts.items()}
    return {"stages": list(outcome.stages), "verdicts": texts, "report": outcome.report}


def _run_flow(root: Path, values: dict[str, Any]) -> Outcome:
    configure(root)
    wait = start_server(root)
    from flows.run import pipeline
    from flows.tasks import error_of

    wait()
    state = pipeline(**values, return_state=True)
    if error := error_of(state, "run"):
        raise error
    outcome = state.result()
    if not isinstance(outcome, Outcome):
        raise AssertionError("the flow gives an outcome")
    return outcome


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # it does not return
        raise ParametersError(message)


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(prog="phys4d run", description="Bring the whole graph up to date, then decide on promotion.")
    parser.add_argument("--stages", nargs="+", default=[], metavar="NAME", help="only these, and what they depend on")
    parser.add_argument("--force", action="store_true", help="run them even when they are up to date")
    parser.add_argument(
        "--parallel", type=_positive, metavar="N", help="stages at a time; default: as the cores suffice"
    )
    parser.add_argument("--retries", type=int, default=1, metavar="N", help="of a stage that fails (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is wrong, expected a number above 0")
    return int(text)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise StoppedError("stopped; the same command continues")


if __name__ == "__main__":
    main()
