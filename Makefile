.DEFAULT_GOAL := help
STACK := .venvs/orchestration/bin/python -m local_stack
.PHONY: help up down status logs reset
help:
	@echo up down status logs reset
up:
	@$(STACK) up
down:
	@$(STACK) down
status:
	@$(STACK) status
logs:
	@$(STACK) logs $(S)
reset:
	@$(STACK) reset
