"""What a model from outside may be called: its name is a row of metrics.json, part of keys, and a folder."""

import re

from components.errors import ParametersError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PAIR = "_to_"  # between the rows of a difference, in keys
OWN_ROWS = frozenset(
    {
        *("truth", "judged_truth", "take2", "round_trip", "first_frame"),
        *("base", "stage1", "stage2", "stage3"),
        *("first_frame_depth", "dataset_mean_depth", "zero_flow", "dis_flow"),
        *("evaluation", "external"),  # what plain facts begin with
    }
)


def check_name(name: str, *, given: bool) -> None:
    """ParametersError for a name that cannot be a row; `given` by --name, or else that of the folder of videos."""
    where = f"--name {name}" if given else f"--videos: its folder is called {name!r}, and so would the row be"
    if not NAME.fullmatch(name) or PAIR in name:
        raise ParametersError(
            f"{where}; expected letters, digits, - and _, 64 at most, without {PAIR!r}, which stands in the keys of "
            "differences: give another with --name"
        )
    if name in OWN_ROWS:
        raise ParametersError(
            f"{where}: that is a row of the evaluation's own ({', '.join(sorted(OWN_ROWS))}): give another with --name"
        )
