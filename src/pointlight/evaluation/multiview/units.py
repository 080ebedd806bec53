"""Lengths by the names that calibrations and files of other programs give them."""

METRES: dict[str, float] = {
    unit: size_m
    for units, size_m in (
        (("m", "meter", "meters", "metre", "metres"), 1.0),
        (("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 0.01),
        (("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 0.001),
    )
    for unit in units
}
