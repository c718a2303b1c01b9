"""Trainings on more machines than are at hand: a discrete-event model of the runtime."""
