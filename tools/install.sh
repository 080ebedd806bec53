#!/bin/sh
# Installs the project into .venv: `install.sh run|test|slow|dev`. Called by the Makefile; does nothing where it is done.
#
# Three traps are handled here, once:
# - Python: the detector's wheel and the pinned packages were run together on 3.11; another one is refused in a sentence.
# - torch: plain pip takes a build with gigabytes of CUDA on Linux. The index of CPU builds is used where it answers;
#   POINTLIGHT_TORCH_INDEX names another one, or is empty for none. A torch of the right version that pip finds by its
#   own configuration (find-links, a mirror) does as well, and one that is installed is left alone.
# - mediapipe 0.10.14 declares jax, sounddevice and an OpenCV with windows, and needs none of them: it is installed
#   without its declared dependencies, beside what it does need (the extra detector-headless).
set -eu
cd "$(dirname "$0")/.."
what=${1:-}
index=${POINTLIGHT_TORCH_INDEX-https://download.pytorch.org/whl/cpu}
case $what in
  run) extras=detector-headless covered_by="test slow dev" ;;
  test) extras=detector-headless,test covered_by="slow dev" ;;
  slow) extras=detector-headless,test,ray covered_by= ;;
  dev) extras=detector-headless,dev covered_by= ;;
  *) echo "usage: install.sh run|test|slow|dev" >&2; exit 2 ;;
esac

version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none
}

# A stamp is named after what it was made from, so that any change installs again and nothing else does.
state=$(cat pyproject.toml constraints.txt tools/install.sh | cksum | tr -c '0-9\n' -)
for done in $what $covered_by; do
  if [ -e ".venv/installed-$done-$state" ] && [ "$(version_of .venv/bin/python)" = 3.11 ]; then exit 0; fi
done

if [ ! -x .venv/bin/python ]; then
  chosen=
  for candidate in "${PYTHON:-}" python3.11 python3 python \
      /usr/bin/python3.11 /usr/local/bin/python3.11 /opt/homebrew/bin/python3.11; do
    if [ -n "$candidate" ] && [ "$(version_of "$candidate")" = 3.11 ]; then chosen=$candidate; break; fi
  done
  if [ -z "$chosen" ]; then
    echo "No Python 3.11 was found (here python3 is $(version_of python3)), and the detector's wheel and the pinned" \
      "packages need it." >&2
    echo "Install it, for example with 'apt install python3.11 python3.11-venv', 'brew install python@3.11' or" \
      "'uv python install 3.11', and name it where it is not on the PATH: make PYTHON=/path/to/python3.11" >&2
    exit 1
  fi
  echo "Making .venv with $chosen"
  if ! "$chosen" -m venv .venv; then
    rm -rf .venv
    echo "$chosen cannot make a virtual environment; on Debian and Ubuntu: apt install python3.11-venv" >&2
    exit 1
  fi
fi
if [ "$(version_of .venv/bin/python)" != 3.11 ]; then
  echo ".venv holds Python $(version_of .venv/bin/python) instead of 3.11; remove it with 'make clean' and try again" >&2
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
install --editable ".[$extras]"
install --no-deps mediapipe
rm -f .venv/installed-"$what"-*
touch ".venv/installed-$what-$state"
