import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.simulation.rendering.runtime import compile_kernels, prepare


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(ParametersError, match=r"simulation.device: abacus is not on this machine, expected one of cpu"):
        prepare("abacus")


def test_an_accelerator_that_is_not_there_is_named_and_nothing_else_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        ParametersError, match=r"simulation.device: cuda:99 is not on this machine, expected one of cpu"
    ):
        prepare("cuda:99")
    assert capfd.readouterr().err == ""


def test_compiling_ahead_says_nothing_and_may_be_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    compile_kernels()
    compile_kernels()
    assert capfd.readouterr().out == ""


def test_kernels_are_compiled_into_the_given_folder(tmp_path: Path) -> None:
    """One module of them: all take a minute."""
    program = (
        "import sys, pathlib, warp; from components.simulation.rendering.runtime import prepare;"
        "from components.simulation.solvers import kernels_xpbd_gas;"
        "prepare(cache_dir=pathlib.Path(sys.argv[1])); warp.load_module(kernels_xpbd_gas, device='cpu')"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert list(tmp_path.rglob("*.o"))
