"""A video goes in, a moving 3D body comes out: `python examples/01_predict.py VIDEO`."""

import sys

import pointlight

capture = pointlight.predict(sys.argv[1], end_s=2.0)
seen = capture.valid

print(f"{len(capture)} frames, a body in {seen.sum()}")
hips = capture.translation_camera_m[seen]
print(f"the person stands about {hips[:, 2].mean():.1f} m away (focal length {capture.focal_source})")

wrist = capture.joint_names.index("left_wrist")
print(
    "left wrist in the first frame, metres from the hips:", capture.joints_camera_m[seen][0, wrist].round(2)
)
