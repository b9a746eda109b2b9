"""Findings, plans and certificates as text for people and as JSON for programs."""
