"""The PDF: LaTeX found and run, and the bundles for arXiv and archives."""
