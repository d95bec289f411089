"""The files of the checkout, as they would be handed on."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", ".demo", "build", "dist", "__pycache__"}


def files() -> list[Path]:
    """Every file that belongs to the project, relative to its root; not what tools left behind."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        if listed.returncode == 0:
            names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
            return [name for name in names if (ROOT / name).is_file()]
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not NOT_OURS & set(path.parts) and not path.parts[0].startswith(".")]


def copy(to: Path) -> Path:
    """A copy of the checkout, for what would leave traces in it."""
    for name in files():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)
    return to
