"""Where objects lie, in the words of messages; nothing here knows of credentials."""

from dataclasses import dataclass

from components.errors import ParametersError, Phys4dError


class StorageError(Phys4dError):
    """Object storage could not do what it was asked for now; the message names the object and what to do."""


class MissingObjectError(StorageError):
    """There is no such object."""


class StorageSetupError(ParametersError):
    """Address, bucket or credentials are wrong; a retry cannot help."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A bucket on a server. endpoint: None for AWS's own."""

    endpoint: str | None
    bucket: str

    def name(self, key: str) -> str:
        """An object in a message: s3://bucket/key at http://host."""
        return f"s3://{self.bucket}/{key} at {self.endpoint or 'AWS'}"
