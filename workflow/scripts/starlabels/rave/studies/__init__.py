"""Studies beside the main run: variants of the training, the Galactic volume, the continuum, finer looks at abundances and kinematics."""
