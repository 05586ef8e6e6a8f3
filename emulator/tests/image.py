"""The Dockerfile, read, and its steps carried out without Docker: in an empty root that has the system and a Python."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

CONTEXT = Path(__file__).parents[1]
#: What the base image brings: a Python with pip, here in an environment of its own.
BASE = "/python"
#: Parts of this machine that stand for the rest of the base image.
_SYSTEM = ("usr", "dev", "proc", "opt")
#: What of this machine's settings pip, useradd and Python need.
_SETTINGS = ("passwd", "group", "login.defs", "nsswitch.conf", "resolv.conf", "ld.so.cache", "ssl", "xdg", "pip.conf")


@dataclass
class Image:
    """What the Dockerfile says. ``steps`` are COPY and RUN, in order."""

    base: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    user: str = ""
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def read_image() -> Image:
    """The Dockerfile. Raises ValueError for an instruction that is not known here."""
    image = Image()
    text = re.sub(r"^#.*\n", "", (CONTEXT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        match instruction:
            case "FROM":
                image.base = rest
            case "COPY" | "RUN":
                image.steps.append((instruction, rest))
            case "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "EXPOSE":
                image.ports += rest.split()
            case "VOLUME":
                image.volumes += rest.split()
            case "USER":
                image.user = rest
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "CMD":
                image.command = json.loads(rest)
            case _:
                raise ValueError(f"Dockerfile: {instruction} is not carried out here: teach it to {__file__}.")
    return image


def sent() -> list[str]:
    """What of the folder the build is sent: files and folders at its top that .dockerignore lets through."""
    patterns = (CONTEXT / ".dockerignore").read_text("utf-8").split()
    assert patterns[0] == "*"
    kept = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    return [one.name for one in CONTEXT.iterdir() if any(fnmatch.fnmatch(one.name, pattern) for pattern in kept)]


@dataclass(frozen=True)
class Root:
    """A folder that becomes the root; ``sudo`` is what makes a command one of root's."""

    folder: Path
    sudo: tuple[str, ...]

    def run(self, script: str, *, user: str = "root", network: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script inside. Without ``network`` there is nothing but its own loopback address."""
        here = shlex.quote(str(self.folder))
        mounts = [f"cd {here}"]
        for path in (*_SYSTEM, sys.base_prefix.lstrip("/")):
            if Path("/", path).is_dir():
                mounts.append(f"mkdir -p {path} && mount --rbind /{path} {path}")
        loopback = "" if network else "ip link set lo up\n"
        environment = {
            "PATH": f"{BASE}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()},
            **read_image().environment,
        }
        settings = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
        inside = f"chroot --userspec={user} . env -i {settings} sh -euc {shlex.quote(script)}"
        text = "set -eu\n" + loopback + "\n".join(mounts) + f"\nexec {inside}\n"
        command = [*self.sudo, "unshare", "--mount", *([] if network else ["--net"]), "sh", "-c", text]
        return subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)

    def build(self) -> str:
        """Carry out COPY and RUN; what was printed where a step failed, otherwise nothing."""
        self._empty()
        done = self.run(f"{Path(sys.base_prefix) / 'bin' / 'python3'} -m venv {BASE}")
        if done.returncode:
            return done.stdout + done.stderr
        for instruction, rest in read_image().steps:
            if instruction == "COPY":
                self._copy(*rest.split())
            elif (done := self.run(rest)).returncode:
                return f"RUN {rest}\n{done.stdout}{done.stderr}"
        return ""

    def _empty(self) -> None:
        """A root with nothing but links into /usr, the system's settings, and a folder for temporary files."""
        self.folder.mkdir(mode=0o755)
        for name in ("bin", "sbin", "lib", "lib64"):
            if Path("/", name).is_symlink():
                (self.folder / name).symlink_to(f"usr/{name}")
        settings = self.folder / "etc"
        settings.mkdir()
        for there in filter(Path.exists, (Path("/etc", name) for name in _SETTINGS)):
            subprocess.run(["cp", "-r", "-L", there, settings], capture_output=True, check=False)  # not keys in `ssl`
        (settings / "hosts").write_text("127.0.0.1 localhost emulator\n", "utf-8")
        (self.folder / "tmp").mkdir()
        (self.folder / "tmp").chmod(0o1777)

    def _copy(self, *paths: str) -> None:
        *sources, target = paths
        available = sent()
        for source in sources:
            assert source in available, f"{source} is not sent to the build: see .dockerignore"
            to = self.folder / target.lstrip("/")
            if (CONTEXT / source).is_dir():
                shutil.copytree(CONTEXT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(CONTEXT / source, to)
