"""How fast a run was and how it grows: its jobs, its stages, the growth between runs, the papers' run, a profile."""
