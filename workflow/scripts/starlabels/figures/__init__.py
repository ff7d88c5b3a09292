"""One module a figure. A figure module draws numbers that an earlier stage computed; it computes none itself."""
