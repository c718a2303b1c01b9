"""Decoders of sequences: helpers that choose inputs, attention, beam search."""
