"""A source record becomes a document: configuration, Vietnamese text, numbers, dates, the secrecy gate."""
