"""Figures and tables of Gu et al. 2025, a module for each or for several alike; a module draws what it is given, no statistics."""
