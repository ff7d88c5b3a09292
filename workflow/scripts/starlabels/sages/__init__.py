"""What is particular to Gu et al. 2025 (SAGES II): classes, samples, clusters, the final catalogue."""
