"""`python -m pointlight`."""

from pointlight.cli.main import main

main()
