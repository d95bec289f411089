"""The systemd unit and its companions: every directive is known, and they fit each other."""

import shutil
import subprocess
from pathlib import Path

from tests.packaging.tree import ROOT

UNIT = ROOT / "systemd" / "syncd.service"
KNOWN = {
    "Unit": "Description After Wants",
    "Service": """
        Type NotifyAccess ExecStart ExecReload WatchdogSec TimeoutStopSec KillMode Restart RestartSec
        LimitNOFILE User Group UMask StateDirectory StateDirectoryMode ConfigurationDirectory WorkingDirectory
        LoadCredential EnvironmentFile NoNewPrivileges CapabilityBoundingSet AmbientCapabilities
        ProtectSystem ReadWritePaths ProtectHome PrivateTmp PrivateDevices ProtectClock ProtectControlGroups
        ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc ProcSubset
        RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID RemoveIPC
        LockPersonality MemoryDenyWriteExecute SystemCallArchitectures SystemCallFilter
        SystemCallErrorNumber MemoryMax TasksMax
    """,
    "Install": "WantedBy",
}


def directives(*, commented: bool = False) -> list[tuple[str, str, str]]:
    """Section, name and value of each line; with those that are commented out, if asked for."""
    section, found = "", []
    for line in UNIT.read_text("utf-8").splitlines():
        text = line.removeprefix("#") if commented and not line.startswith("# ") else line
        if text.startswith("["):
            section = text.strip("[]")
        elif text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            assert equals, f"not a directive: {line}"
            found.append((section, name, value))
    return found


def value(name: str) -> str:
    """The last value of a directive of [Service]."""
    return [value for section, one, value in directives() if (section, one) == ("Service", name)][-1]


def test_every_directive_is_known_in_its_section() -> None:
    unknown = [
        (section, name)
        for section, name, _ in directives(commented=True)
        if name not in KNOWN.get(section, "").split()
    ]
    assert not unknown


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    """Where systemd is installed; elsewhere the other tests must do."""
    if shutil.which("systemd-analyze") is None:
        return
    unit = tmp_path / "syncd.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/syncd/bin/syncd", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_service_is_watched_reloaded_and_stopped_by_what_it_understands() -> None:
    assert value("Type") == "notify"
    assert value("ExecStart") == "/opt/syncd/bin/syncd --config /etc/syncd/syncd.toml run"
    assert value("ExecReload") == "/bin/kill -HUP $MAINPID"
    assert value("WatchdogSec")
    assert "KillSignal" not in [name for _, name, _ in directives()], "SIGTERM is what it understands"


def test_the_service_may_do_little() -> None:
    assert value("ProtectSystem") == "strict"
    assert value("RestrictAddressFamilies").split() == ["AF_UNIX", "AF_INET", "AF_INET6"]
    assert value("CapabilityBoundingSet") == ""
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "MemoryDenyWriteExecute"):
        assert value(name) == "yes"


def test_user_and_folders_fit_each_other() -> None:
    (line,) = lines("sysusers.d/syncd.conf")
    kind, user, *_rest = line.split()
    assert (kind, user) == ("u", value("User"))
    assert value("StateDirectory") == "syncd"
    made = {line.split()[1]: line.split()[2:5] for line in lines("tmpfiles.d/syncd.conf")}
    config = Path(value("ExecStart").split()[2])
    assert made[str(config.parent)] == ["0750", "root", value("Group")]
    secrets = [
        text.partition(":")[2] for _, name, text in directives(commented=True) if name == "LoadCredential"
    ]
    assert {str(Path(secret).parent) for secret in secrets} <= made.keys()


def lines(name: str) -> list[str]:
    """The lines of a file that are not comments."""
    text = (ROOT / "systemd" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
