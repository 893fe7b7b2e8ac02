"""Which spans of a video could be clips, and which are taken."""
