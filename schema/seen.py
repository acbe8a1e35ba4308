"""This module writes what an audit entry says of a person: on which bases each category was open, as bits of one number.

Seven bits a category, in the order of the enums; Postgres reads them with basis_categories and basis_names.
"""

from typing import Final

from schema.enums import Category, DisclosureBasis

_CATEGORIES: Final = {str(category): number for number, category in enumerate(Category)}
_WIDTH: Final = len(DisclosureBasis)


def mask(category: str) -> int:
    """Give the bits of one category.

    >>> bin(mask("PROFILE"))
    '0b11111110000000'
    """
    return ((1 << _WIDTH) - 1) << (_WIDTH * _CATEGORIES[category])


def case_basis(alias: str) -> str:
    """Write the bases of a case now: the step of its stored function that this moment lies on."""
    return f"coalesce({alias}.basis[width_bucket({{now}}, {alias}.basis_from)], 0)"
