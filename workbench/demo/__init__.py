"""The demonstration: real handwritten digits, and a network trained on them."""
