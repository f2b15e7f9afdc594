"""`prove`: compute every layer anew from the messages and compare the tables with it, row for row.

It shares nothing with the jobs but the definitions in words (docs/message.md, docs/tables.md).
"""
