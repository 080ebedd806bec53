"""One clip's frame count, rate and size, where nothing else is asked for."""

CLIP_FRAMES = 31
"""Frames of the paper's clips (section 3.2). Shares "of clips" speak of clips of this length; longer scenes are such
clips in a row."""

FRAMES_PER_SECOND = 30.0
"""Of the grid on which simulation and networks live."""

HEIGHT, WIDTH = 240, 320
"""Appendix A: "crop the Kinetics videos to be 240×320 , to match the SURREAL resolution"."""
