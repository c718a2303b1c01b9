"""What workers use and do: measured in them while somebody looks, and gathered for who does."""
