#!/bin/sh
# Installs the project into .venv: `install.sh run|test|dev`. Called by the Makefile.
#
# Two traps are handled here, once:
# - torch: plain pip takes a build with gigabytes of CUDA on Linux. Where the CPU builds' index answers it is used too;
#   POINTLIGHT_TORCH_INDEX names another one, or "" for none.
# - mediapipe 0.10.14 declares jax, sounddevice and an OpenCV with windows, and needs none of them: it is installed
#   without its declared dependencies, beside what it does need (the extra detector-headless).
set -eu
what=$1
python=${PYTHON:-python3}
index=${POINTLIGHT_TORCH_INDEX-https://download.pytorch.org/whl/cpu}

if [ ! -x .venv/bin/python ]; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
  if [ "$version" != 3.11 ]; then
    echo "Pointlight needs Python 3.11 (mediapipe's wheel and the pinned torch fit it); '$python' is $version." >&2
    echo "Install Python 3.11 and run: make PYTHON=/path/to/python3.11 $what" >&2
    exit 1
  fi
  "$python" -m venv .venv
fi
mkdir -p .venv/stamps
pip="./.venv/bin/python -m pip --disable-pip-version-check"

case $what in
  run)
    extra=""
    if ! ./.venv/bin/python -c 'import torch' 2>/dev/null; then
      if [ -n "$index" ] && ./.venv/bin/python -c "
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + '/torch/', timeout=5).close()" "$index" 2>/dev/null; then
        extra="--extra-index-url $index"
      fi
      $pip install -q $extra -c constraints.txt torch
    fi
    $pip install -q -c constraints.txt -e ".[detector-headless]"
    $pip install -q --no-deps -c constraints.txt mediapipe==0.10.14
    ;;
  test) $pip install -q -c constraints.txt -e ".[detector-headless,test]" ;;
  dev) $pip install -q -c constraints.txt -e ".[detector-headless,dev]" ;;
  *) echo "install.sh run|test|dev" >&2; exit 2 ;;
esac
