"""The shared schema: what every other package speaks. Imports nothing of ours."""
