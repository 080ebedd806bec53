"""Another program's joints beside ours, on people filmed by several cameras.

`python examples/07_judge_another.py CAMERAS SET/CAMERA=JOINTS_FILE`
"""

import sys
from pathlib import Path

import pointlight

cameras, name, file = sys.argv[1], *sys.argv[2].split("=")
result = pointlight.evaluate_multiview("points", cameras, predictions={name: Path(file)})
print(pointlight.tables(result))
