"""What people look at. Reads counts and labelled posts, changes nothing."""
