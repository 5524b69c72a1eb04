"""Captions of a folder of videos: from its captions.csv, or from the files' names."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from components.errors import ParametersError

CAPTIONS_FILE = "captions.csv"
COLUMNS = ("file", "caption")


def read_captions(folder: Path) -> Mapping[str, str]:
    """Captions by file, relative to `folder`; none without a captions.csv. ParametersError says what is wrong in it."""
    path = folder / CAPTIONS_FILE
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # a spreadsheet may begin it with a mark
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise ParametersError(f"{path}: columns are {reader.fieldnames}, expected {', '.join(COLUMNS)}")
            captions: dict[str, str] = {}
            for record in reader:
                name, caption = ((record[column] or "").strip() for column in COLUMNS)
                if name in captions:
                    raise ParametersError(f"{path}: line {reader.line_num}: {name} has a caption already, expected one")
                captions[name] = caption
    except UnicodeDecodeError as error:
        raise ParametersError(f"{path}: byte {error.start} is no UTF-8 ({error.reason}): save it as UTF-8") from error
    except csv.Error as error:
        raise ParametersError(f"{path}: no table of comma-separated values ({error})") from error
    return captions


def caption_of(name: str, captions: Mapping[str, str]) -> str:
    """The caption of a file: what captions.csv says, else the words of its name."""
    return captions.get(name) or " ".join(re.split(r"[\W_]+", Path(name).stem)).strip() or name
