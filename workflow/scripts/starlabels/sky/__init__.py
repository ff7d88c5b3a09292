"""The simulated sky: stars, photometry and surveys, written as the archives publish them."""
