"""How deep is a squat: `python examples/05_squat.py RESULT/poses.npz`."""

import sys

import numpy as np

import pointlight

angles = pointlight.Capture.load(sys.argv[1]).joint_angles()
knee = angles.of("left_knee_flexion")  # degrees, 0 = straight
deepest = int(np.nanargmax(knee))
print(f"the left knee bends to {knee[deepest]:.0f} degrees at {angles.time_s[deepest]:.2f} s")
