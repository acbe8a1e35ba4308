"""This package knows people: who a user is, how they are invited, how they sign in. Other parts ask it by what is named here."""

from auth.people.guard import form_token, form_token_fits, own_path, sign_in_first, signed_in
from auth.people.person import Person, Role
from auth.people.place import People

__all__ = [
    "People",
    "Person",
    "Role",
    "form_token",
    "form_token_fits",
    "own_path",
    "sign_in_first",
    "signed_in",
]
