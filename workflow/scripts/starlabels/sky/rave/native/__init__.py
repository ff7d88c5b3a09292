"""Files of the archives around the simulated RAVE survey, in their native columns, sentinels and units."""
