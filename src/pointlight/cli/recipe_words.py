"""What stands at the end of a command's help: examples, and what each recipe is for and where in the paper it stands.

Help must answer at once, and the recipes themselves load torch. So their names stand here once more:
`tests/test_help.py` holds them to the registries, and the pages to them.
"""

from __future__ import annotations

TRAINING = {
    "points": ("what is shipped: 19 keypoints, SOAP, our losses and noise", "-"),
    "points-fast": ("the same in a fraction of the time", "-"),
    "points12": ("on the paper's 12 keypoints alone", "Table 1, Keypoints Only, but for training and noise"),
    "points-flow": ("with optical flow at keypoints and limbs", "-"),
    "points-memoryless": ("without memory: what the biLSTM is worth", "-"),
    "points-perfect": ("on exact keypoints: the limit of lifting", "-"),
    "points-mediapipe": ("on errors like mediapipe's alone", "-"),
    "points-weak": ("reprojection by weak perspective", "-"),
    "points-paper": ("the paper's own", "Table 1, Keypoints Only"),
    "martinez": ("the single-frame lifter of 2017", "Table 1, Martinez et al."),
    "small-rgb": ("crops of 64 px: RGB", "Table 1, RGB Only, but for size"),
    "small-flow": ("crops of 64 px: optical flow", "Table 1, Flow Only, but for size"),
    "small-rgb_keypoints": ("crops of 64 px: both", "Table 1, RGB + Keypoints, but for size"),
    "small-keypoints": ("heatmaps of 64 px", "Table 1, Keypoints Only, but for size"),
    "small-flow_keypoints": ("crops of 64 px: both", "Table 1, Flow + Keypoints, but for size"),
    "small-rgb_dann": (
        "crops of 64 px: RGB, against real people's",
        "Table 1, RGB + DANN, but for size",
    ),
    "small-rgb_scratch": (
        "small-rgb, never with a pretrained encoder",
        "Table 1, RGB Only, but for size and beginning",
    ),
    "small-rgb_imagenet": (
        "small-rgb with ImageNet's EfficientNet-lite0",
        "Table 1, RGB Only, but for size and encoder",
    ),
    "paper-rgb": ("crops of 224 px, ResNet-50: RGB", "Table 1, RGB Only"),
    "paper-flow": ("crops of 224 px, ResNet-50: optical flow", "Table 1, Flow Only"),
    "paper-rgb_keypoints": ("crops of 224 px, ResNet-50: both", "Table 1, RGB + Keypoints"),
    "paper-keypoints": ("heatmaps of 224 px, ResNet-50", "Table 1, Keypoints Only"),
    "paper-flow_keypoints": ("crops of 224 px, ResNet-50: both", "Table 1, Flow + Keypoints"),
    "paper-rgb_dann": ("crops of 224 px, ResNet-50: RGB, against real people's", "Table 1, RGB + DANN"),
    "tiny": ("for trying things out: 8 steps", "-"),
}
"""Recipe of `train` -> what it is for, and its row in the paper."""

CLIPS = {
    "full": ("superpixels hide people, who follow the camera", "Table 2, Full Model"),
    "no_occlusions": ("the same without superpixels", "Table 2, No occlusions"),
    "no_tracking_no_occlusions": (
        "people do not follow the camera",
        "Table 2, No background tracking, no occlusions",
    ),
    "static_no_occlusions": ("one frame as the background", "Table 2, Static background, no occlusions"),
    "pointlight": ("ours: clothes, bystanders, boxes, a sensor", "-"),
}
"""Recipe of `synthesize` -> what it is for, and its row in the paper."""


def recipes(words: dict[str, tuple[str, str]]) -> str:
    """Recipes for the end of a command's help, a line or two each, which no terminal of 80 columns breaks."""
    wide = max(map(len, words)) + 2
    lines = ["Recipes (and their rows in the paper):"]
    for name, (purpose, paper) in words.items():
        lines += [f"  {name:{wide}}{purpose}"] + ([f"  {'':{wide}}{paper}"] if paper != "-" else [])
    return _as_it_stands(lines)


def example(*commands: str) -> str:
    """Examples for the end of a command's help."""
    return _as_it_stands(
        ["Example:" if len(commands) == 1 else "Examples:", *(f"  {one}" for one in commands)]
    )


def _as_it_stands(lines: list[str]) -> str:
    """A paragraph whose lines help does not fill up."""
    return "\n".join(("\b", *lines)) + "\n\n"


def as_table(recipes: dict[str, tuple[str, str]]) -> str:
    """The same as a table in Markdown, for the pages."""
    rows = [f"| `{name}` | {purpose} | {paper} |" for name, (purpose, paper) in recipes.items()]
    return "\n".join(("| recipe | what it is for | in the paper |", "| --- | --- | --- |", *rows))
