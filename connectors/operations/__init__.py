"""The provincial operations system: edXML packages, read from a drop folder."""
