"""What the command line says, one table of words an area: Vietnamese first, then English."""
