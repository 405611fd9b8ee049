"""Images built and run without a registry: buildah and podman on files of their own, vfs and chroot.

Images(folder).base()            makes the Dockerfile's base image with debootstrap, once per machine
Images(folder).build(tag, …)     builds one; raises with the builder's last lines where it fails
Images(folder).run(tag, …)       runs a container to its end -> CompletedProcess
Images(folder).start(tag, …)     runs one in the background -> its name; remove(name) ends it
"""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

BASE = "docker.io/library/python:3.11-slim"
TOOLS = ("buildah", "podman", "runc", "debootstrap")
DEBIAN = "bookworm"  # Its Python is the 3.11 of the base image.
# A sandbox may forbid raising limits.
RUN_OPTIONS = ("--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")


def missing_tool() -> str | None:
    """What keeps images from being built here, if anything does."""
    if os.getuid() != 0:
        return "root, for debootstrap"
    return next((tool for tool in TOOLS if shutil.which(tool) is None), None)


class Images:
    """Images and containers under one folder, apart from those of the machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._storage = [
            "--root",
            str(folder / "store"),
            "--runroot",
            str(folder / "run"),
            "--storage-driver",
            "vfs",
        ]
        self._podman = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", *self._storage]

    def base(self) -> None:
        """A Debian with Python, and this machine's certificates and pip settings, under the base's name."""
        if self._call([*self._podman, "image", "exists", BASE], check=False).returncode == 0:
            return
        root = self._folder / "rootfs"
        shutil.rmtree(root, ignore_errors=True)
        packages = "python3,python3-venv,ca-certificates"
        self._call(["debootstrap", "--variant=minbase", f"--include={packages}", DEBIAN, str(root)])
        for file in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"):
            if Path(file).exists():
                shutil.copy(file, root / file[1:])
        packed = self._folder / "rootfs.tar"
        with tarfile.open(packed, "w") as tar:
            tar.add(root, arcname=".", filter=_without_packages)
        self._call([*self._podman, "import", str(packed), BASE])
        packed.unlink()
        shutil.rmtree(root)

    def build(self, tag: str, dockerfile: Path, context: Path, **arguments: str) -> None:
        options = ["--format", "docker", "--isolation", "chroot", "--network", "host", "--pull-never"]
        options += [f"--build-arg={name}={value}" for name, value in arguments.items()]
        self._call(
            ["buildah", *self._storage, "bud", *options, "-t", tag, "-f", str(dockerfile), str(context)]
        )

    def run(
        self, tag: str, *command: str, options: tuple[str, ...] = (), check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        argv = [*self._podman, "run", "--rm", "--no-healthcheck", *RUN_OPTIONS, *options, tag, *command]
        return self._call(argv, check=check)

    def start(self, tag: str, *command: str, name: str, options: tuple[str, ...] = ()) -> None:
        self._call([*self._podman, "run", "-d", "--name", name, *RUN_OPTIONS, *options, tag, *command])

    def prune(self) -> None:
        """Remove what earlier builds of the same tags left."""
        self._call([*self._podman, "image", "prune", "-f"])

    def running(self, name: str) -> bool:
        state = self._call([*self._podman, "inspect", "--format", "{{.State.Running}}", name], check=False)
        return state.stdout.strip() == "true"

    def healthy(self, name: str) -> bool:
        """Run the image's own health check in a container."""
        return self._call([*self._podman, "healthcheck", "run", name], check=False).returncode == 0

    def stop(self, name: str) -> int:
        """SIGTERM to a container, and its exit code."""
        self._call([*self._podman, "stop", "-t", "30", name])
        inspected = self._call([*self._podman, "inspect", "--format", "{{.State.ExitCode}}", name])
        return int(inspected.stdout)

    def logs(self, name: str) -> str:
        done = self._call([*self._podman, "logs", name], check=False)
        return done.stdout + done.stderr

    def remove(self, name: str) -> None:
        self._call([*self._podman, "rm", "-f", name], check=False)

    def _call(self, argv: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
            raise AssertionError(f"{' '.join(argv[:1])} … failed with {done.returncode}:\n{last}")
        return done


def _without_packages(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Neither downloaded packages nor device files, which a container brings itself."""
    return (
        None
        if member.isdev() or member.name.startswith(("./var/cache/apt/", "./var/lib/apt/lists/"))
        else member
    )
