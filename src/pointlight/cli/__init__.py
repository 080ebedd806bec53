"""The command line: one small file a command, with arguments, progress and words for a person.

No logic lives here.
"""
