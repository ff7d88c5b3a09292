"""Native files from the archives: files by HTTP, tables by TAP, neighbours of a catalogue by the X-Match service of CDS."""
