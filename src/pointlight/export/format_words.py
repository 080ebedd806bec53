"""What README.txt says of each format: units, axes, rate, skeleton, what a reader may stumble over."""

BVH = """\
y up, centimetres (--units), degrees. Root: Xposition Yposition Zposition Zrotation Xrotation Yrotation;
others Zrotation Xrotation Yrotation. Offsets alone are the rest pose, which is all channels 0; it looks along z.
Set your program's frame rate to the file's before importing: Blender keeps its own.
With --rig lafan1, *_gmr_g1.json is an IK configuration for GMR (robot Unitree G1), made for this rest pose."""

GLB = """\
glTF 2.0: y up, metres, seconds. The person's skin on the rig, one animation with linear keys at k / fps seconds.
asset.extras says the rest. Set Blender's frame rate to fps before importing, or run *_blender.py in Blender: it sets
the rate, imports the GLB, and puts the camera and the video where they were. Blender takes the A-pose that the skin is
bound to for the rest pose, unless "Guess Original Bind Pose" is off in the import."""

USD = """\
y up, metres, one time code a frame at fps time codes a second; SkelRoot, Skeleton, SkelAnimation and the skin.
Blender takes time codes as frames: set its frame rate to fps."""

TRC = """\
OpenSim's axes: x forward (where the first frame faces, if the world is known), y up, z right; millimetres (--units).
The 14 joints of evaluation, and points of the skin: nose, ears, heels, toes. Frames that are filled elsewhere are gaps
here (nan)."""

C3D = """\
Millimetres, z up, x forward (as in a TRC), y left; rate, units and axes stand inside. The points of the TRC; frames
that are filled elsewhere are marked as not measured (residual -1)."""

CSV = """\
*_positions.csv: metres in the world above. Columns joint_... are the skeleton's joints, the others the points of the
TRC. The column state says seen, inferred or filled; left_foot_stands and right_foot_stands 1 or 0, if that is known."""

ANGLES = """\
*_angles.csv: degrees, 0 = standing straight with hanging arms, by frame of the video; times from its first frame here.
Trunk and hip by Grood and Suntay (1983) in the order of the ISB (Wu et al. 2002); positive are flexion (forward), bend
to the right, rotation to the left; abduction, internal rotation. Knee, elbow: the angle between the bones; ankle:
toes up. Shoulder: flexion and abduction in the chest's planes, elevation from hanging, internal rotation.
They are of the camera's result: where standing feet are set down in the world, legs there differ a little.
docs/angles.md says all. *_angles.png shows them."""

AMASS = """\
*_amass.npz: laid out as AMASS for SMPL-X, z up, metres, radians: root_orient, pose_body, trans, mocap_frame_rate. Betas
are zero: the body is SMPL-X's mean, the path the person's, so that feet may float or sink a little."""

OPENPOSE = """\
*_openpose/: the 2D keypoints by frame of the video as OpenPose writes BODY_25: pixels, (0, 0, 0) where nothing is seen.
Neck and middle of the hips lie between shoulders and hips."""
