#!/bin/sh
# Installs the project into .venv: `install.sh run|test|slow|dev`. Called by the Makefile; does nothing where it is done.
#
# Two things are handled here, once:
# - Python: 3.11, on which the pinned packages were run together, where there is one; else the newest of 3.12 to 3.14.
# - torch: plain pip takes a build with gigabytes of CUDA on Linux. The index of CPU builds is used where it answers;
#   POINTLIGHT_TORCH_INDEX names another one, or is empty for none. A torch of the right version that pip finds by its
#   own configuration (find-links, a mirror) does as well, and one that is installed is left alone.
set -eu
cd "$(dirname "$0")/.."
what=${1:-}
index=${POINTLIGHT_TORCH_INDEX-https://download.pytorch.org/whl/cpu}
case $what in
  run) extras= covered_by="test slow dev" ;;
  test) extras="[test]" covered_by="slow dev" ;;
  slow) extras="[test,browser,ray,usd]" covered_by= ;;
  dev) extras="[dev]" covered_by= ;;
  *) echo "usage: install.sh run|test|slow|dev" >&2; exit 2 ;;
esac
versions="3.11 3.14 3.13 3.12" # the first that is found is taken

version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none
}

fits() { # a Python: is it one of ours?
  case " $versions " in *" $(version_of "$1") "*) ;; *) return 1 ;; esac
}

found_python() {
  if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then echo "$PYTHON"; fi
    return
  fi
  for version in $versions; do
    for candidate in "python$version" python3 python \
        "/usr/bin/python$version" "/usr/local/bin/python$version" "/opt/homebrew/bin/python$version"; do
      if [ "$(version_of "$candidate")" = "$version" ]; then echo "$candidate"; return; fi
    done
  done
}

# A stamp is named after what it was made from, so that any change installs again and nothing else does.
state=$(cat pyproject.toml constraints.txt tools/install.sh | cksum | tr -c '0-9\n' -)
for done in $what $covered_by; do
  if [ -e ".venv/installed-$done-$state" ] && fits .venv/bin/python; then exit 0; fi
done

if [ ! -x .venv/bin/python ]; then
  chosen=$(found_python)
  if [ -z "$chosen" ]; then
    if [ -n "${PYTHON:-}" ]; then
      echo "PYTHON is $PYTHON, whose version is $(version_of "$PYTHON"); Pointlight runs on Python 3.11 to 3.14" >&2
    else
      echo "No Python 3.11 to 3.14 was found (here python3 is $(version_of python3)), and Pointlight needs one." >&2
    fi
    echo "Install it, for example with 'apt install python3 python3-venv', 'brew install python@3.11' or" \
      "'uv python install 3.11', and name it where it is not on the PATH: make PYTHON=/path/to/python3.11" >&2
    exit 1
  fi
  echo "Making .venv with $chosen"
  if ! "$chosen" -m venv .venv; then
    rm -rf .venv
    echo "$chosen cannot make a virtual environment; on Debian and Ubuntu: apt install" \
      "python$(version_of "$chosen")-venv" >&2
    exit 1
  fi
fi
if ! fits .venv/bin/python; then
  echo ".venv holds Python $(version_of .venv/bin/python), and Pointlight runs on 3.11 to 3.14; remove it with" \
    "'make clean' and try again" >&2
  exit 1
fi

install() {
  .venv/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt "$@"
}

echo "Installing Pointlight ($what) into .venv; the first time this takes a few minutes"
if ! .venv/bin/python -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
  if [ -n "$index" ] && .venv/bin/python - "$index" 2>/dev/null <<'PYTHON'
import sys, urllib.request
urllib.request.urlopen(sys.argv[1].rstrip("/") + "/torch/", timeout=5).close()
PYTHON
  then
    install --extra-index-url "$index" torch
  else
    [ -z "$index" ] || echo "$index does not answer; taking the torch that pip finds (a build with CUDA is large)"
    install torch
  fi
fi
install --editable ".$extras"
rm -f .venv/installed-"$what"-*
touch ".venv/installed-$what-$state"
