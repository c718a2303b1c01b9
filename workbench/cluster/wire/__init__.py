"""What goes between tasks: messages, and the transports that carry them."""
