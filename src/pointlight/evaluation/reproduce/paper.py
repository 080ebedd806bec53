"""What the paper's tables say: PA-MPJPE on 3DPW in mm (Doersch & Zisserman 2019, Tables 1 to 3)."""

from __future__ import annotations

ON_REAL_3D: dict[str, float] = {
    "HMR": 77.2,
    "Temporal HMR": 80.1,
    "Temporal HMR + InstaVariety": 72.4,
    "HMR + Kinetics": 72.2,
}
"""The lower half of Table 1: published methods, trained with poses of real people."""

DANN_MEAN_MM = 107.5
"""Over five weights of the adversary; the row has the best."""

REMARKS: dict[str, str] = {
    "table1": "The paper's Martinez et al. was trained on Human3.6M and is from Kanazawa et al. 2019; ours on the same "
    "simulated people as every row.",
    "table2": "The rows add up: each leaves out what the one above it does, and one thing more.",
    "table3": "Clips of every length are cut from the same clips of 56 frames, equally many frames are seen, and each "
    "network is scored at its own length.",
}
"""What a reader of each table must know."""

CLAIM_ROW = "rgb"
"""The row that the paper's claim is made against."""

LEARNT = 0.90
"""Share of the constant pose's error on (a) under which a row counts as having learnt anything."""
