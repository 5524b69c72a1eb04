"""What a server answers becomes one line that says what to do, without a key in it."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, SSLError

from components.errors import ExitCode, Phys4dError
from components.storage.client import explained
from components.storage.place import Place

PLACE = Place(endpoint="http://10.0.0.5:7480", bucket="data")
SECRET = "AKIAVERYSECRET0000000"  # noqa: S105 -- made up


def said(error: Exception) -> Phys4dError:
    with pytest.raises(Phys4dError) as caught, explained(PLACE, "runs/one"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("InvalidAccessKeyId", 78, "AWS_SHARED_CREDENTIALS_FILE"),
        ("SignatureDoesNotMatch", 78, "AWS_SHARED_CREDENTIALS_FILE"),
        ("ExpiredToken", 78, "AWS_SHARED_CREDENTIALS_FILE"),
        ("AccessDenied", 78, "may not do this"),
        ("NoSuchBucket", 78, "create it, or mend storage.bucket"),
        ("RequestTimeTooSkewed", 78, "clock"),
        ("PermanentRedirect", 78, "AWS_REGION"),
        ("NoSuchKey", 1, "publish it, or mend its name"),
        ("BadDigest", 1, "run the same command again"),
        ("SlowDown", 1, "run the same command again"),
    ],
)
def test_every_answer_has_its_code_and_remedy(code: str, exit_code: int, words: str) -> None:
    answer = {"Error": {"Code": code, "Message": f"for key {SECRET}"}}
    error = said(ClientError(answer, "PutObject"))
    assert error.code == ExitCode(exit_code)
    assert words in str(error)
    assert "s3://data/runs/one at http://10.0.0.5:7480" in str(error)
    assert SECRET not in str(error)
    assert "\n" not in str(error)


def test_missing_keys_and_unknown_certificates_are_not_tried_again() -> None:
    assert said(NoCredentialsError()).code == ExitCode.BAD_PARAMETERS
    assert "AWS_CA_BUNDLE" in str(said(SSLError(endpoint_url="https://10.0.0.5", error="self-signed")))


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError), explained(PLACE, "runs/one"):
        _ = 1 // 0
