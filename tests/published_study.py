"""The tracked results of the published study."""

from generated_paper import ROOT

PUBLISHED = ROOT / "results" / "published"
