"""Runs a TensorFlow.js graph model of MoveNet's 24 kinds of operation with torch; batches of one picture."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pointlight.errors import PointlightError

_DTYPES = {"DT_INT32": torch.int32, "DT_FLOAT": torch.float32}


class TfjsGraph:
    """A graph with its weights.

    Args:
        path: of the JSON; its blob of weights lies beside.

    Raises:
        PointlightError: the model has an operation or a quantization that is not known here.
    """

    def __init__(self, path: Path) -> None:
        tree = json.loads(path.read_text())
        self.nodes = {node["name"]: node for node in tree["modelTopology"]["node"]}
        unknown = {node["op"] for node in self.nodes.values()} - {"Const", "Placeholder", *_OPS}
        if unknown:
            raise PointlightError(f"{path} has the operations {', '.join(sorted(unknown))}, not known here")
        (group,) = tree["weightsManifest"]
        blob = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        self.weights: dict[str, Tensor] = {}
        at = 0
        for entry in group["weights"]:
            stored = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"], dtype=int))
            values = np.frombuffer(blob, stored, count, at).reshape(entry["shape"])
            self.weights[entry["name"]] = torch.from_numpy(values.astype(entry["dtype"]))
            at += values.nbytes
        if at != len(blob):
            raise PointlightError(f"{path} describes {at} bytes of weights, there are {len(blob)}")

    @torch.inference_mode()
    def __call__(self, picture: Tensor, output: str = "Identity") -> Tensor:
        """The output for the single input (1, H, W, 3) int32."""
        known: dict[str, Any] = dict(self.weights)

        def value(name: str) -> Tensor:
            name, _, part = name.partition(":")
            if name not in known:
                node = self.nodes[name]
                if node["op"] == "Placeholder":
                    known[name] = picture
                else:
                    inputs = [value(given) for given in node.get("input", []) if not given.startswith("^")]
                    known[name] = _OPS[node["op"]](inputs, node.get("attr", {}))
            found = known[name]
            return found[int(part or 0)] if isinstance(found, list) else found

        return value(output)


def _ints(attributes: dict[str, Any], key: str) -> list[int]:
    return [int(i) for i in attributes[key]["list"].get("i", [])]


def _int(attributes: dict[str, Any], key: str) -> int:
    return int(attributes[key]["i"])


def _convolution(inputs: list[Tensor], attributes: dict[str, Any], depthwise: bool) -> Tensor:
    """(1, H, W, C) with "SAME" padding, a bias and an activation where fused."""
    x, kernel = inputs[0].permute(0, 3, 1, 2), inputs[1]
    height, width, channels, last = kernel.shape
    if depthwise:
        weight = kernel.permute(2, 3, 0, 1).reshape(channels * last, 1, height, width)
    else:
        weight = kernel.permute(3, 2, 0, 1)
    stride = _ints(attributes, "strides")[1:3]
    if _words(attributes["padding"]["s"]) == "SAME":
        pads = []
        for size, extent, step in zip((x.shape[3], x.shape[2]), (width, height), stride[::-1], strict=True):
            total = max((-(-size // step) - 1) * step + extent - size, 0)
            pads += [total // 2, total - total // 2]
        x = functional.pad(x, pads)
    bias = inputs[2] if len(inputs) > 2 else None
    x = functional.conv2d(x, weight, bias, stride, groups=channels if depthwise else 1)
    fused = [_words(name) for name in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
    if "Relu6" in fused:
        x = x.clamp(0, 6)
    elif "Relu" in fused:
        x = x.relu()
    return x.permute(0, 2, 3, 1)


def _words(text: str) -> str:
    return base64.b64decode(text).decode()


def _resize(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """Bilinear, with centres of pixels at halves as the graph says."""
    if not attributes["half_pixel_centers"]["b"]:
        raise PointlightError("this graph resizes without half_pixel_centers, not known here")
    size = [int(side) for side in inputs[1]]
    x = inputs[0].permute(0, 3, 1, 2)
    return functional.interpolate(x, size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


def _gather(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    values, indices = inputs
    return values[tuple(indices.long().unbind(-1))]


def _squeeze(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    x = inputs[0]
    for axis in sorted(_ints(attributes, "squeeze_dims"), reverse=True):
        x = x.squeeze(axis)
    return x


_OPS = {
    "_FusedConv2D": lambda x, a: _convolution(x, a, depthwise=False),
    "FusedDepthwiseConv2dNative": lambda x, a: _convolution(x, a, depthwise=True),
    "DepthwiseConv2dNative": lambda x, a: _convolution(x, a, depthwise=True),
    "AddV2": lambda x, a: x[0] + x[1],
    "Sub": lambda x, a: x[0] - x[1],
    "Mul": lambda x, a: x[0] * x[1],
    "RealDiv": lambda x, a: x[0] / x[1],
    "FloorDiv": lambda x, a: torch.div(x[0], x[1], rounding_mode="floor"),
    "SquaredDifference": lambda x, a: (x[0] - x[1]) ** 2,
    "Sqrt": lambda x, a: x[0].sqrt(),
    "Sigmoid": lambda x, a: x[0].sigmoid(),
    "Cast": lambda x, a: x[0].to(_DTYPES[a["DstT"]["type"]]),
    "Reshape": lambda x, a: x[0].reshape([int(side) for side in x[1]]),
    "ExpandDims": lambda x, a: x[0].unsqueeze(int(x[1])),
    "Squeeze": _squeeze,
    "Unpack": lambda x, a: list(x[0].unbind(_int(a, "axis"))),
    "Pack": lambda x, a: torch.stack(x, _int(a, "axis")),
    "ConcatV2": lambda x, a: torch.cat(x[:-1], int(x[-1])),
    "ArgMax": lambda x, a: x[0].argmax(int(x[1])).to(torch.int32),
    "GatherNd": _gather,
    "ResizeBilinear": _resize,
    "Identity": lambda x, a: x[0],
}
