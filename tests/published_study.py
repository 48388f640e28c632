"""The tracked results of the published study, and the mark of tests that need them to be of this version's schema."""

import pytest
from generated_paper import ROOT

from dying_relu.results import provenance, schemas

PUBLISHED = ROOT / "results" / "published"
VERSION = provenance.read(PUBLISHED)["schema_version"]

of_this_version = pytest.mark.skipif(
    schemas.VERSION != VERSION,
    reason=f"the published tables are of the first study (schema {VERSION}); the second study replaces them",
)
