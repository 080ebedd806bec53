#!/bin/sh
# PyAV 18.1.0: a decoded picture whose `side_data` was looked at is not let go of until Python's garbage collector runs.
#
# Expected: a picture's memory is free as soon as nobody holds it, as with pictures whose side data nobody asked for.
# Happens: `frame.side_data` makes a container that holds the frame, and the frame keeps the container. Neither is freed
# by counting references. The collector counts objects, not bytes, and a loop over a video makes few: hundreds of
# pictures of 3 MB each pile up. Players' orientation (DISPLAYMATRIX) can only be had whole through side data.
# What to do: `frame.rotation` looks at the same matrix without a container; ask for side data only where it changes.
#
# Output seen:
#   looked at nothing: let go
#   looked at rotation: let go
#   looked at side_data: kept
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat >"$work/pictures.py" <<'END'
import gc
import sys

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w") as container:
    stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
    picture = np.zeros((1080, 1920, 3), np.uint8)
    for number in range(100):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
    container.mux(stream.encode())


def kept(look):
    """Pictures that are still there after a loop that keeps none."""
    gc.collect()
    gc.disable()
    with av.open(path) as container:
        for frame in container.decode(video=0):
            look(frame)
        del frame
    count = sum(isinstance(item, av.VideoFrame) for item in gc.get_objects())
    gc.enable()
    return count


looks = {
    "nothing": lambda frame: None,
    "rotation": lambda frame: frame.rotation,
    "side_data": lambda frame: frame.side_data.get("DISPLAYMATRIX"),
}
for name, look in looks.items():
    print("looked at", name + ":", "kept" if kept(look) >= 90 else "let go")
END
"$work/env/bin/python" "$work/pictures.py" "$work/v.mp4" >"$work/out"
cat "$work/out"
if [ "$(cat "$work/out")" != "looked at nothing: let go
looked at rotation: let go
looked at side_data: kept" ]; then
  echo "changed: pictures whose side data was looked at are let go of now" >&2
  exit 1
fi
