"""`make bench`: each stage of the pipeline beside its ceiling and beside an alternative."""
