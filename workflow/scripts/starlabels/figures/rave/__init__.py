"""Figures and tables of Guiglion et al. 2020, a module for each or for several alike; a module draws what it is given, no statistics."""
