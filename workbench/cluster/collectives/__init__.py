"""What the members of a group do together: sum up, gather, broadcast, wait for each other."""
