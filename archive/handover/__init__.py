"""What leaves the archive: registers, packages for the next archive, the Party's spreadsheet, bags."""
