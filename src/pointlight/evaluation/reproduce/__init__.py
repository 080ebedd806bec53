"""The paper's tables and figures by one call each: rows, what they learn from, how they are scored, what is written.

The only room of `evaluation` that trains.
"""

from pointlight.evaluation.reproduce.figure5 import draw_figure5
from pointlight.evaluation.reproduce.material import Given, shifted
from pointlight.evaluation.reproduce.rows import SIZES, TABLES, Row, Size, recipe_of
from pointlight.evaluation.reproduce.tables import reproduce_table

__all__ = [
    "SIZES",
    "TABLES",
    "Given",
    "Row",
    "Size",
    "draw_figure5",
    "recipe_of",
    "reproduce_table",
    "shifted",
]
