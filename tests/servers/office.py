"""A company without any server: users, a CRM, and the command line."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.console import Outcome, console
from tests.servers.crm import Crm

USERS = {"claire": "standard", "marc": "standard", "anne": "advanced", "odile": "admin"}


@dataclass
class Office(Crm):
    """A config with users, and tables."""

    folder: Path
    database_url: str
    users: dict[str, str] = field(default_factory=lambda: dict(USERS))
    more: str = ""  # further lines of the config
    calendar_section: str = ""
    tail: str = ""  # lines after the users

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def write_config(self) -> Path:
        self.folder.mkdir(exist_ok=True)
        parts = [
            '[workspace]\nname = "Acme"\ntimezone = "Europe/Paris"\n',
            f'[store]\nurl = "{self.database_url}"\nstate_dir = "."\n',
            f"[calendar]\n{self.calendar_section}\n",
            self.more,
            *(
                f'[[users]]\nlogin = "{login}"\nname = "{login.title()} Test"\n'
                f'email = "{login}@acme.example"\nrole = "{role}"\n'
                for login, role in self.users.items()
            ),
            self.tail,
        ]
        self.config.write_text("\n".join(parts))
        return self.config

    def run(self, *arguments: str) -> Outcome:
        """One command."""
        return console(self.write_config(), *arguments)

    def done(self, *arguments: str) -> Outcome:
        """One command that must succeed."""
        outcome = self.run(*arguments)
        assert outcome.code == 0, outcome.err
        return outcome
