"""The storage that params.yaml names."""

import pytest

from components.errors import ParametersError
from components.params import ObjectStorage
from components.storage.store import Storage, storage_of


def test_it_is_where_the_parameters_say() -> None:
    section = ObjectStorage(endpoint="http://10.0.0.5:7480", bucket="data", prefix="team")
    assert storage_of(section) == Storage(endpoint="http://10.0.0.5:7480", bucket="data", prefix="team")


def test_without_a_bucket_there_is_none() -> None:
    with pytest.raises(ParametersError, match=r"storage\.bucket: empty"):
        storage_of(ObjectStorage(endpoint=None, bucket=None, prefix=None))
