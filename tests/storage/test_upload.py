"""Parts of an upload: they cover the file, and another process finds the same ones."""

import pytest

from components.storage.upload import MOST_PARTS, PART, parts_of

LARGEST = 5 * 2**40  # bytes of an object, as S3 has it


@pytest.mark.parametrize("size", [1, PART, PART + 1, 3 * PART, MOST_PARTS * PART + 1, LARGEST])
def test_parts_cover_the_file_without_gap_or_overlap(size: int) -> None:
    parts = parts_of(size)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert parts[0].start == 0
    assert [part.start + part.size for part in parts] == [*(part.start for part in parts[1:]), size]


@pytest.mark.parametrize("size", [PART + 1, MOST_PARTS * PART + 1, LARGEST])
def test_parts_are_what_the_protocol_allows(size: int) -> None:
    parts = parts_of(size)
    assert len(parts) <= MOST_PARTS
    assert {part.size for part in parts[:-1]} == {parts[0].size}
    assert parts[0].size >= PART >= 5 * 2**20
