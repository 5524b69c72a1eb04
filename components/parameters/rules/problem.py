"""What is wrong with one value of params.yaml."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One wrong value: its dotted field and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        """The field and the message in one line."""
        return " ".join(f"{self.field}: {self.message}".split())
