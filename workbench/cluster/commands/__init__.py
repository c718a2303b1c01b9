"""What others may ask of a server, and how it answers."""
