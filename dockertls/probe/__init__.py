"""Looks at a live endpoint as clients do, and judges what was seen."""
