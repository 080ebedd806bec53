"""A reader of GLB by the standard's words alone, for tests: numbers of accessors, joints and skin at a time."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

_TYPES = {5126: np.float32, 5121: np.uint8, 5123: np.uint16, 5125: np.uint32}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True)
class Glb:
    """The JSON and the binary part of a file."""

    document: dict[str, Any]
    binary: bytes

    @staticmethod
    def read(path: Path) -> Glb:
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON"
        assert struct.unpack_from("<I4s", content, 20 + size)[1] == b"BIN\0"
        return Glb(json.loads(content[20 : 20 + size]), content[28 + size :])

    def array(self, accessor: int) -> np.ndarray:
        """(count, width) of an accessor."""
        entry = self.document["accessors"][accessor]
        view = self.document["bufferViews"][entry["bufferView"]]
        width = _WIDTHS[entry["type"]]
        start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
        found = np.frombuffer(self.binary, _TYPES[entry["componentType"]], entry["count"] * width, start)
        return found.reshape(-1, width)

    def names(self) -> list[str]:
        return [node["name"] for node in self.document["nodes"]]

    def world(self, time_s: float | None) -> np.ndarray:
        """(N, 4, 4) of all nodes at a time of the first animation, or at rest."""
        nodes = self.document["nodes"]
        local = np.tile(np.eye(4), (len(nodes), 1, 1))
        for number, node in enumerate(nodes):
            local[number, :3, 3] = node.get("translation", (0, 0, 0))
            local[number, :3, :3] = Rotation.from_quat(node.get("rotation", (0, 0, 0, 1))).as_matrix()
        animation = self.document["animations"][0]
        for channel in animation["channels"] if time_s is not None else ():
            sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
            times = self.array(sampler["input"])[:, 0].astype(np.float64)
            values = self.array(sampler["output"]).astype(np.float64)
            at = float(np.clip(time_s, times[0], times[-1]))
            if target["path"] == "translation":
                local[target["node"], :3, 3] = [np.interp(at, times, column) for column in values.T]
            else:
                turn = (
                    Slerp(times, Rotation.from_quat(values))(at)
                    if len(times) > 1
                    else Rotation.from_quat(values[0])
                )
                local[target["node"], :3, :3] = turn.as_matrix()
        world = np.zeros_like(local)

        def place(number: int, above: np.ndarray) -> None:
            world[number] = above @ local[number]
            for child in nodes[number].get("children", ()):
                place(child, world[number])

        for root in self.document["scenes"][0]["nodes"]:
            place(root, np.eye(4))
        return world

    def skin(self, time_s: float | None) -> np.ndarray:
        """(V, 3) vertices of the first mesh at a time, skinned as the standard says."""
        skin, attributes = (
            self.document["skins"][0],
            self.document["meshes"][0]["primitives"][0]["attributes"],
        )
        inverses = self.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(-1, -2)
        matrices = self.world(time_s)[skin["joints"]] @ inverses
        vertices = self.array(attributes["POSITION"]).astype(np.float64)
        homogeneous = np.concatenate((vertices, np.ones((len(vertices), 1))), axis=1)
        joints, weights = self.array(attributes["JOINTS_0"]), self.array(attributes["WEIGHTS_0"])
        moved = np.einsum("vkab,vb->vka", matrices[joints], homogeneous)
        return np.einsum("vk,vka->va", weights, moved)[:, :3]

    def faces(self) -> list[tuple[str, np.ndarray]]:
        """Triangles of each part, with the name of its material."""
        return [
            (self.document["materials"][part["material"]]["name"], self.array(part["indices"]).reshape(-1, 3))
            for part in self.document["meshes"][0]["primitives"]
        ]
