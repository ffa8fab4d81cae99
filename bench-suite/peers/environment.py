"""Virtual environments for the peers: made once in target/peers, then entered."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(name, packages, from_source=None):
    """Makes the environment that has the packages, unless it is there, and returns its Python.

    Packages named by from_source are compiled here, where a binary package would not use this
    machine's vector instructions."""
    folder = path(name)
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not (ready.exists() and ready.read_text() == "\n".join(packages)):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, stdout=sys.stderr)
        if from_source and not any(map(shutil.which, compilers())):
            sys.exit(f"error: no C++ compiler, which {from_source} is compiled with")
        source = ["--no-binary", from_source] if from_source else []
        install = [python, "-m", "pip", "install", "--quiet", *source, *packages]
        subprocess.run(install, check=True, stdout=sys.stderr)
        ready.write_text("\n".join(packages))
    return python


def compilers():
    """The C++ compilers that may be there, the one that the user names first."""
    named = os.environ.get("CXX", "").split()[:1]
    return [*named, "g++", "c++", "clang++"]


def enter(name, packages, from_source=None):
    """Starts the running script anew in that environment, unless it runs there already."""
    if Path(sys.prefix).resolve() != path(name):
        python = make(name, packages, from_source)
        os.execv(python, [str(python), *sys.argv])


def path(name):
    """Where the environment lies."""
    return (ROOT / "target" / "peers" / name).resolve()
