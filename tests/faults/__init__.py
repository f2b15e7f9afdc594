"""Servers are killed, frozen, cut off and filled up while frames flow; then all is proven."""
