"""Symptoms, their causes and what to do: tables, in the order in which `dockertls.probe.remedies` asks them."""
