"""A result as one page that any browser opens from disk: video, body to turn, plots, files.

The page's script is built from `viewer/` by npm and lies here as `viewer.js`; nobody needs npm to write a report.
"""

from pointlight.report.writing import write_report

__all__ = ["write_report"]
