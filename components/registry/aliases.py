"""Aliases of a registered model: champion, previous and challenger, and how they move.

A promotion and a rollback end with one move of the alias `champion`; whatever interrupts them, that alias names one
version or the other, and the same command goes on from there.
"""

from typing import TYPE_CHECKING

from components.errors import Phys4dError

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from components.registry.lock import Turn

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"
WITHDRAWN = "withdrawn"  # tag of a version: the champion that a rollback put in its place


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Version numbers by their aliases; none when nothing was registered under that name."""
    for model in client.search_registered_models(filter_string=f"name = '{name}'"):
        return {alias: str(number) for alias, number in model.aliases.items()}
    return {}


def is_withdrawn(client: "MlflowClient", name: str, number: str) -> bool:
    """Whether a rollback took this version back."""
    return WITHDRAWN in client.get_model_version(name, number).tags


def crown(turn: "Turn", number: str) -> None:
    """Make a version the champion, and the champion there is the previous one."""
    client, name = turn.client, turn.name
    aliases = aliases_of(client, name)
    champion = aliases.get(CHAMPION)
    if champion and champion != number:
        client.set_registered_model_alias(name, PREVIOUS, champion)
    _move(turn, number)
    if aliases.get(CHALLENGER) == number:
        client.delete_registered_model_alias(name, CHALLENGER)
    _readmit(client, name, number)


def challenge(turn: "Turn", number: str) -> None:
    """Make a version that was refused the challenger, unless it is the champion."""
    if aliases_of(turn.client, turn.name).get(CHAMPION) != number:
        turn.client.set_registered_model_alias(turn.name, CHALLENGER, number)


def swap_back(turn: "Turn") -> int:
    """Make the previous champion the champion and withdraw the one there is; the new champion's number."""
    client, name = turn.client, turn.name
    aliases = aliases_of(client, name)
    champion, previous = aliases.get(CHAMPION), aliases.get(PREVIOUS)
    if champion is not None and champion == previous:  # an interrupted rollback, or the start of a promotion
        withdrawn = _withdrawn_for(client, name, champion)
        if withdrawn:
            client.set_registered_model_alias(name, PREVIOUS, withdrawn)
            _readmit(client, name, champion)
            return int(champion)
    if champion is None or previous in (None, champion):
        raise Phys4dError(f"{name} has no previous champion to go back to")
    client.set_model_version_tag(name, champion, WITHDRAWN, previous)
    _move(turn, str(previous))
    client.set_registered_model_alias(name, PREVIOUS, champion)
    _readmit(client, name, str(previous))
    return int(str(previous))


def _move(turn: "Turn", number: str) -> None:
    """Set `champion`; Phys4dError when it is not what was set, or the lock was taken away meanwhile."""
    turn.check()
    turn.client.set_registered_model_alias(turn.name, CHAMPION, number)
    turn.check()
    found = aliases_of(turn.client, turn.name).get(CHAMPION)
    if found != number:
        raise Phys4dError(
            f"{turn.name}: the champion is version {found} right after version {number} was made it: somebody else "
            "moves aliases too; look at them in MLflow, then run the same command again"
        )


def _withdrawn_for(client: "MlflowClient", name: str, champion: str) -> str | None:
    """The newest version that was withdrawn in favour of this champion."""
    versions = client.search_model_versions(f"name = '{name}'")
    found = [int(version.version) for version in versions if version.tags.get(WITHDRAWN) == champion]
    return str(max(found)) if found else None


def _readmit(client: "MlflowClient", name: str, number: str) -> None:
    if is_withdrawn(client, name, number):
        client.delete_model_version_tag(name, number, WITHDRAWN)
