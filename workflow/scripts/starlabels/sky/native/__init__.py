"""Writers of native files: one module a family of catalogues, each with `rows` (true stars in, native rows out) and `write`."""
