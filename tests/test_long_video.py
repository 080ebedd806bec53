"""A ten-minute 1080p video goes through predict, overlay included, within 2 GiB of memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pointlight.media import VideoReader, VideoWriter

MINUTES = 10
SIZE = (1920, 1080)
LIMIT_KIB = 2 * 1024 * 1024


def loop_packets(source: Path, out: Path, seconds: float) -> None:
    """The same compressed clip again and again, without encoding it again."""
    offset, shift = Fraction(0), 0
    with av.open(str(out), "w") as written:
        target = None
        while offset < seconds:
            with av.open(str(source)) as clip:
                stream = clip.streams.video[0]
                target = target or written.add_stream_from_template(stream)
                assert stream.time_base is not None and stream.duration is not None
                for packet in clip.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = target
                    written.mux(packet)
                shift += stream.duration
                offset = shift * stream.time_base


@pytest.mark.slow
def test_ten_minutes_within_two_gibibytes(shared_data: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, 24.0, SIZE) as writer:
        for frame in VideoReader(shared_data / "real" / "football_juggle_park.mp4", size=SIZE):
            writer.write(np.ascontiguousarray(frame.image))
    video = tmp_path / "long.mp4"
    loop_packets(clip, video, 60 * MINUTES)
    command = [sys.executable, "-m", "pointlight", "predict", str(video), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(done.stdout, f"peak {peak_kib / 2**20:.2f} GiB")
    assert peak_kib < LIMIT_KIB
    assert len(VideoReader(tmp_path / "out" / "overlay.mp4").times().index) > 24 * 60 * MINUTES - 10
