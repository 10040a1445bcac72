"""What each construct means, one file each; none knows of another."""
