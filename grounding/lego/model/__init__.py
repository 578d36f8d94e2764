"""The network: encoders, adapters, the language model, and where media go into a text."""
