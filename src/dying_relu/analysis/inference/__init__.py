"""Estimates with intervals, survival, and attribution: statistics that know nothing of claims."""
