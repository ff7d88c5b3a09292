"""Figures and tables of Gu et al. 2025, one module each; every module draws what it is given and computes no statistics."""
