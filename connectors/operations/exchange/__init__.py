"""The services through which edXML packages are exchanged, read and never answered: VXP, provincial LGSP, Bkav eDoc."""
