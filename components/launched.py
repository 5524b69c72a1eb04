"""Whether this process is one of several that train together, as the environment says: torchrun's own variables."""

import os

LEADER = "PHYS4D_LEADER"  # process id of the rank that started this one; torchrun's ranks have none


def is_one_of_several() -> bool:
    """Whether torchrun, or a stage that trains on several ranks, started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def leader_process() -> int | None:
    """Process id of the rank that started this one."""
    return int(os.environ[LEADER]) if LEADER in os.environ else None


def is_follower() -> bool:
    """Whether another process leads: it holds the lock, writes results and says how the stage ended."""
    return is_one_of_several() and int(os.environ["RANK"]) > 0
