"""One value, one text: what hashes and records are made of."""

import json


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no white space; ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
