"""The whole pipeline, here and now: `python -m flows.pipeline`, which `phys4d run` is.

Prefect runs the stages that DVC finds out of date; it needs no server to be prepared. When nothing is out of date, it
is not even started. The last lines on standard output are the verdict on the model and the path of the report.
"""

import argparse
import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from components.__main__ import QUIET, explain
from components.errors import ParametersError, StoppedError
from components.parameters.loader import load_params
from components.pipeline.execution import project_root
from components.pipeline.graph import load_graph
from components.report.run_record import write_copy
from components.tracked_run import PIPELINE
from flows.plan import Plan, chosen, stale_stages
from flows.promotion import backbones_to_judge, judge
from flows.server import configure, start_server

REPORT = "report"  # the stage


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
    targets = chosen(graph, stages)
    stale = stale_stages(root)
    plan = Plan(root, graph, targets=targets, stale=stale, forced=targets if force else ())
    verdicts: dict[str, str] = {}
    ran: tuple[str, ...] = ()
    if plan.stale:
        configure(root)
        wait = start_server(root)
        from flows.run import Outcome, error_of, pipeline

        wait()
        state = pipeline(
            stages=list(stages),
            force=force,
            parallel=parallel,
            retries=retries,
            pipeline_id=os.environ.get(PIPELINE) or new_id(),
            stale=sorted(stale),
            return_state=True,
        )
        if error := error_of(state, "run"):
            raise error
        outcome = state.result()
        if not isinstance(outcome, Outcome):
            raise AssertionError("the flow gives an outcome")
        verdicts, ran = dict(outcome.verdicts), outcome.stages
    else:
        sys.stderr.write("everything is up to date\n")
        verdicts = {backbone: judge(root, backbone, params) for backbone in backbones_to_judge(graph, stages)}
    report = str(write_copy(root, graph)) if REPORT in targets else None
    return {"stages": list(ran), "verdicts": verdicts, "report": report}


def new_id() -> str:
    """An id of a whole run: the time, for the eye, and something that no other has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


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
