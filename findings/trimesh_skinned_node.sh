#!/bin/sh
# trimesh 5.2.0: a skinned mesh is moved by its own node, which glTF forbids.
#
# Expected: glTF 2.0, section "Skins": only the joints' transforms apply to a skinned mesh, the transform of its
# node MUST be ignored. Blender and three.js do so, and the validator warns (NODE_SKINNED_MESH_LOCAL_TRANSFORMS).
# Happens: trimesh reads the mesh as if there were no skin and applies the node's transform. The body below stands one
# metre beside the place that its joint gives it; its joints are in the scene's graph at the right place.
# What to do: as a writer, give the skinned mesh's node no transform; then all readers agree. As a reader, take the
# vertices of scene.geometry and leave the node's matrix out where the node has a skin.
#
# Output seen:
#   the body is at z = 1.0, its joint (and by glTF the body) at z = 0.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6
cd "$work"
env/bin/python - <<'END'
import base64
import json

import numpy as np
import trimesh

parts = {
    "POSITION": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32),
    "JOINTS_0": np.zeros((3, 4), np.uint8),
    "WEIGHTS_0": np.array([[1, 0, 0, 0]] * 3, np.float32),
    "inverse": np.eye(4, dtype=np.float32)[None],
}
kinds = {"POSITION": ("VEC3", 5126), "JOINTS_0": ("VEC4", 5121), "WEIGHTS_0": ("VEC4", 5126), "inverse": ("MAT4", 5126)}
blob, views, accessors = b"", [], []
for index, (name, array) in enumerate(parts.items()):
    views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": array.nbytes})
    kind, component = kinds[name]
    accessors.append({"bufferView": index, "componentType": component, "count": len(array), "type": kind})
    blob += array.tobytes()
accessors[0] |= {"min": [0, 0, 0], "max": [1, 1, 0]}
uri = "data:application/octet-stream;base64," + base64.b64encode(blob).decode()
document = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0, 1]}],
    "nodes": [{"name": "hips"}, {"name": "body", "mesh": 0, "skin": 0, "translation": [0, 0, 1]}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "JOINTS_0": 1, "WEIGHTS_0": 2}}]}],
    "skins": [{"joints": [0], "inverseBindMatrices": 3}],
    "accessors": accessors,
    "bufferViews": views,
    "buffers": [{"byteLength": len(blob), "uri": uri}],
}
with open("body.gltf", "w") as file:
    json.dump(document, file)
z_m = float(trimesh.load_scene("body.gltf").to_mesh().bounds[0, 2])
print(f"the body is at z = {z_m}, its joint (and by glTF the body) at z = 0.0")
if z_m != 1.0:
    raise SystemExit("changed: a skinned mesh is no longer moved by its own node")
END
