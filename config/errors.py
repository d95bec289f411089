"""What can be wrong with what an admin wrote."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands and what to do about it."""

    file: Path
    line: int | None  # 1-based; None where the whole file is meant
    key: str  # "mailboxes[0].password", empty where the file cannot be parsed
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds every mistake, in the order of the files."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class SecretError(Exception):
    """A secret cannot be read; the message says from where and what to do, never the secret."""
