"""The catalogue: a TABLE of checks for each area."""
