"""The topic's messages against bronze_raw, one by one; and what Bronze lacks put back."""
