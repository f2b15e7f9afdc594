"""A sample video that needs no download: two people of a picture, walking about a drawn shop."""
