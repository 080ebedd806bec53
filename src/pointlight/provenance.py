"""What a result was made from: the commit of the code, and hashes of files."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pointlight.files import file_sha256

_CHECKOUT = Path(__file__).resolve().parents[2]


def git(*arguments: str) -> str:
    """What git says in Pointlight's own checkout; empty outside of one, or where git is not installed."""
    if not (_CHECKOUT / ".git").exists():  # an installed package may lie inside another project's checkout
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(_CHECKOUT), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def commit() -> str:
    """The checkout's commit, "+changes" behind it where `src` differs from it; empty outside a checkout."""
    head = git("rev-parse", "HEAD")
    return f"{head}+changes" if head and git("status", "--porcelain", "--", "src") else head


def files_sha256(files: Sequence[Path]) -> str:
    """SHA-256 of several files together, in hex: of their bytes and their paths below the folder that holds them all."""
    folder = os.path.commonpath([file.resolve().parent for file in files])
    digest = hashlib.sha256()
    for file in sorted(file.resolve() for file in files):
        digest.update(os.fsencode(file.relative_to(folder).as_posix()) + f" {file_sha256(file)}\n".encode())
    return digest.hexdigest()
