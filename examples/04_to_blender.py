"""A result as files for Blender: `python examples/04_to_blender.py RESULT OUT`."""

import sys

import pointlight

done = pointlight.export_result(sys.argv[1], "glb,bvh", sys.argv[2])
for file in done.files:
    print(file)
print("In Blender: Scripting, open the _blender.py file, run it.")
