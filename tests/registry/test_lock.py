"""One promotion at a time: a lock of another machine is heeded, one that this folder left is taken over."""

from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.registry import lock
from components.registry.aliases import aliases_of, crown
from components.registry.lock import OWNER, SUFFIX, TOKEN, turn, unlock
from components.registry.versions import registry
from tests.tracked import make_database

NAME = "phys4d-wan22-tiny"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    make_database(tmp_path)
    return tmp_path


def names(root: Path) -> list[str]:
    with registry(root) as client:
        return [str(model.name) for model in client.search_registered_models()]


def test_the_lock_is_there_while_it_is_held_and_gone_after(root: Path) -> None:
    with registry(root) as client, turn(client, root, NAME):
        assert names(root) == [NAME + SUFFIX]
    assert names(root) == []


def test_an_error_leaves_no_lock(root: Path) -> None:
    with pytest.raises(Phys4dError, match="refused"), registry(root) as client, turn(client, root, NAME):
        raise Phys4dError("refused")
    assert names(root) == []


def test_another_machines_lock_is_heeded_until_a_person_removes_it(root: Path) -> None:
    with registry(root) as client:
        client.create_registered_model(NAME + SUFFIX, tags={OWNER: "pod-7:work", TOKEN: "theirs"})
        expected = r"promoted by pod-7:work: .* phys4d registry unlock"
        with pytest.raises(Phys4dError, match=expected), turn(client, root, NAME):
            pytest.fail("two at once")
        assert unlock(client, NAME) == "pod-7:work"
        with turn(client, root, NAME):
            pass
        assert unlock(client, NAME) == ""


def test_a_lock_that_a_dead_process_of_this_folder_left_is_taken_over(root: Path) -> None:
    with registry(root) as client:
        client.create_registered_model(NAME + SUFFIX, tags={OWNER: lock._owner(root), TOKEN: "of the dead"})
        with turn(client, root, NAME):
            pass
    assert names(root) == []


def test_whoever_lost_the_lock_moves_nothing(root: Path) -> None:
    with registry(root) as client:
        client.create_registered_model(NAME)
        client.create_model_version(NAME, str(root))
        expected = "somebody removed this promotion's lock"
        with pytest.raises(Phys4dError, match=expected), turn(client, root, NAME) as held:
            unlock(client, NAME)
            crown(held, "1")
        assert aliases_of(client, NAME) == {}


def test_locks_of_two_models_do_not_meet(root: Path) -> None:
    with registry(root) as client, turn(client, root, NAME), turn(client, root, "phys4d-cogvideox-tiny"):
        assert len(names(root)) == 2
