"""Whether this process is one of several that train together, as the environment says: torchrun's own variables."""

import os
from dataclasses import dataclass

LEADER = "PHYS4D_LEADER"  # process id of the rank that started this one; torchrun's ranks have none


@dataclass(frozen=True, kw_only=True)
class Node:
    """This machine among those that train one model together. address, port: where the first one is met."""

    number: int
    count: int
    address: str
    port: int


def this_node() -> Node | None:
    """What torchrun's own settings of a launch say; None where one machine trains alone."""
    count = int(os.environ.get("PET_NNODES", "1"))
    if count == 1:
        return None
    return Node(
        number=int(os.environ["PET_NODE_RANK"]),
        count=count,
        address=os.environ["PET_MASTER_ADDR"],
        port=int(os.environ["PET_MASTER_PORT"]),
    )


def is_one_of_several() -> bool:
    """Whether torchrun, or a stage that trains on several ranks, started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def leader_process() -> int | None:
    """Process id of the rank that started this one."""
    return int(os.environ[LEADER]) if LEADER in os.environ else None


def is_follower() -> bool:
    """Whether another process leads: it holds the lock, writes results and says how the stage ended."""
    return is_one_of_several() and int(os.environ["RANK"]) > 0
