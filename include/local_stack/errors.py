"""What can go wrong with the local stack, said in one line that names the next step."""


class StackError(Exception):
    """Something that a person can mend; its text says what and how."""


class NotReady(Exception):
    """A server does not answer yet; its text says what it was asked and what came back."""
