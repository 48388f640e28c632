"""Packages of Debian and its relatives, installed where one may do so without being asked for a password."""

import os
import shutil
import subprocess

from dying_relu.errors import DyingReluError


def may_install() -> bool:
    """Tell whether there is an apt-get, and the right to use it."""
    return bool(_apt_get())


def install(*packages: str) -> None:
    """Install ``packages``, without what they merely recommend.

    Raises:
        DyingReluError: apt-get failed; the message quotes it.
    """
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run([*_apt_get(), *command], capture_output=True, text=True, check=False)
        if done.returncode:
            last_lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
            raise DyingReluError(f"apt-get {command[0]} failed", found="; ".join(last_lines))


def _apt_get() -> list[str]:
    """The words that call apt-get with the right to install; none where there is no apt-get, or no right."""
    if shutil.which("apt-get") is None:
        return []
    quiet = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300"]
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive", *quiet]
    without_password = ["sudo", "--non-interactive"]
    if (
        shutil.which("sudo")
        and not subprocess.run([*without_password, "true"], capture_output=True, check=False).returncode
    ):
        return [*without_password, "env", "DEBIAN_FRONTEND=noninteractive", *quiet]
    return []
