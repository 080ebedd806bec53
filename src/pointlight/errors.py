"""The one exception that a person using Pointlight can cause."""


class PointlightError(Exception):
    """Something the user can mend, said in one sentence: what is wrong, where, and what would be right."""
