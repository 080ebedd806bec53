"""Train on a folder of BVH or ASF/AMC files: `python examples/06_my_motions.py FOLDER OUT [RECIPE]`."""

import sys
from pathlib import Path

import pointlight

folder, out, *recipe = sys.argv[1:]
trainer = pointlight.train(recipe[0] if recipe else "points", out, motion=Path(folder))
print(f"{trainer.step} steps; predict with it: pointlight predict VIDEO --model {out} --out result")
