"""The S3 server of the tests, where it is not installed."""

from pathlib import Path

import pytest

from tests.servers.ceph import server


def test_a_missing_program_is_an_error_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    words = r"radosgw.*not installed; as root: apt-get install .*radosgw ceph-mon ceph-osd ceph-common"
    with pytest.raises(FileNotFoundError, match=words), server(tmp_path / "ceph"):
        pass
