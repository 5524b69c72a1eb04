"""The flow is wiring: it knows nothing of models, and costs nothing before there is something to run."""

import subprocess
import sys
from pathlib import Path

from tests.test_laws import imports

MODULES = sorted(Path("flows").glob("*.py"))


def test_the_flow_holds_nothing_of_torch_or_of_a_stage() -> None:
    for path in MODULES:
        assert not {"torch", "mlflow", "diffusers", "dvc"} & set(imports(path)), path
        assert "components.stages" not in path.read_text(), path
        assert len(path.read_text().splitlines()) <= 200, path


def test_prefect_is_loaded_by_flows_tasks_and_the_worker_alone() -> None:
    loading = [path.name for path in MODULES if "prefect" in set(imports(path))]
    assert loading == ["progress.py", "run.py", "tasks.py", "worker.py"]


def test_a_run_with_nothing_to_do_loads_neither_prefect_nor_mlflow() -> None:
    script = "import sys, flows.pipeline; assert not {'prefect', 'mlflow', 'torch', 'dvc'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
