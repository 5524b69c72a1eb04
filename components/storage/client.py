"""A client of the S3 API with bounded patience, and its failures in our words.

Retries are botocore's own (mode "standard"): an attempt that meets no server, a broken connection, a server's error or
a request to slow down is made again after a random time up to 1, 2, 4, ... 20 s, at most `ATTEMPTS` times in all.
Messages hold the code of the server's answer and never its text, which may hold keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from components.storage.place import MissingObjectError, Place, StorageError, StorageSetupError

ATTEMPTS = 12  # waits of 95 s on average, 15 s of deviation: an outage of half a minute is outlived
CONNECT_SECONDS = 10
READ_SECONDS = 60  # without a byte
REGION = "us-east-1"  # where the standard chain names none: servers of one's own have no regions
STREAMS = 4  # transfers at a time

KEYS = "boto3 looks in AWS_ACCESS_KEY_ID, in the file of AWS_SHARED_CREDENTIALS_FILE, then ~/.aws/credentials"
REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "TokenRefreshRequired"}
FORBIDDEN = {"AccessDenied", "AllAccessDisabled", "403"}  # the last: an answer without a body, as HEAD has
SETUP = {
    "NoSuchBucket": "no bucket {bucket!r}: create it, or mend storage.bucket",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "PermanentRedirect": "the bucket is in another region: name it in AWS_REGION",
}
MISSING = {"NoSuchKey", "404"}
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
    ConfigNotFound,
    ConfigParseError,
)


def connect(place: Place, *, attempts: int) -> Any:  # noqa: ANN401 -- botocore makes the class as it runs
    """A client for the place's server; StorageSetupError when the configuration boto3 finds cannot be read."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=STREAMS,
        s3={"addressing_style": "path" if place.endpoint else "auto"},
        # older servers ignore newer checksums, or take them for a part of the content: we send Content-MD5
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with explained(place, ""):
        session = boto3.session.Session()
        region = session.region_name or REGION
        return session.client("s3", endpoint_url=place.endpoint, region_name=region, config=config)


@contextmanager
def explained(place: Place, key: str) -> Iterator[None]:
    """Turn what botocore raises about an object into an error that says what was wrong and what to do."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, place, key) from error
    except NO_CREDENTIALS as error:
        raise StorageSetupError(f"{place.name(key)}: no credentials ({type(error).__name__}): {KEYS}") from error
    except SSLError as error:
        raise StorageSetupError(
            f"{place.name(key)}: the server's certificate is not trusted: name its authority's file in AWS_CA_BUNDLE"
        ) from error
    except (NoConnectionError, HTTPClientError) as error:
        raise StorageError(
            f"{place.name(key)}: the server cannot be reached ({type(error).__name__}): check storage.endpoint, and "
            "that the server runs; the same command goes on from here"
        ) from error
    except BotoCoreError as error:
        raise StorageError(f"{place.name(key)}: {type(error).__name__}: run the same command again") from error


def _of_answer(error: ClientError, place: Place, key: str) -> StorageError | StorageSetupError:
    code, where = str(error.response.get("Error", {}).get("Code", "?")), place.name(key)
    if code in REFUSED:
        return StorageSetupError(f"{where}: the server does not know these credentials ({code}): {KEYS}")
    if code in FORBIDDEN:
        return StorageSetupError(
            f"{where}: these credentials may not do this ({error.operation_name}): they need to list, read, write and "
            f"delete in the bucket, if they are the right ones: {KEYS}"
        )
    if code in SETUP:
        return StorageSetupError(f"{where}: {SETUP[code].format(bucket=place.bucket)} ({code})")
    if code in MISSING:
        return MissingObjectError(f"{where}: no such object: publish it, or mend its name")
    what = "other bytes arrived than were sent" if code == "BadDigest" else f"the server refused {error.operation_name}"
    return StorageError(f"{where}: {what} ({code}): run the same command again")
