"""This module holds the asker's own standing; it needs no scope and leads nowhere else."""

from schema.agreements import Agreement
from schema.fields import Column, column, many, noun, one, source
from schema.organisations import Organisation
from schema.rows import AGREEMENT, ORGANISATION
from schema.scalars import DateTime


@noun()
class Viewer:
    """The asker's own standing; needs no scope and leads nowhere else."""

    organisation: Organisation = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    client_id: str = column("client_id")
    client_name: str = column("client_name")
    user_name: str | None = source(Column("(select viewer_user())"))
    scopes: list[str] = column("string_to_array({scopes}, ' ')")
    purpose: str | None = column("{purpose}")
    expires_at: DateTime = column("{expires_at}")
    agreements: list[Agreement] = many(
        AGREEMENT, "{row}.organisation = {parent}.organisation", "{row}.valid_from, {row}.agreement"
    )
