"""Days that are old enough are let go, layer by layer; what is left says since when it is whole."""
