"""This module holds the cities of refuge: public, and saying nothing of who lives there."""

import strawberry

from auth.scopes import Scope
from schema.edges import ResidencyRef
from schema.fields import Order, Page, Where, asked, column, noun, where
from schema.nodes import Connection, Node
from schema.rows import CITY, RESIDENCY
from schema.scalars import CountryCode

CITIES = Page(CITY, "true", {"CODE": Order("code", "text")}, ("CODE", "ASC"), Order("code", "text"))
CITY_BY_CODE = Where("{row}.code = {value}::text")
RESIDENCIES = Page(
    RESIDENCY,
    "{row}.city = {parent}.city",
    {"STARTS_ON": Order("starts", "date")},
    ("STARTS_ON", "DESC"),
    Order("name", "text"),
)


@noun(rows=CITY, places={"city": Where("{row}.code = {value}::text", "key:city")})
class City(Node):
    """A city of refuge."""

    id: strawberry.ID = column("'city_' || {row}.code")
    code: str = column("code")
    name: str = column("name")
    country: CountryCode = column("country")
    member_since: int | None = column("member_since")
    latitude: float | None = column("latitude")
    longitude: float | None = column("longitude")
    vacancies: int = column(
        "vacancies", description="As the city publishes it by hand; never derived from residencies."
    )

    @asked(RESIDENCIES, Scope.RESIDENCIES_READ)
    def residencies(
        self, first: int | None = strawberry.UNSET, after: str | None = strawberry.UNSET
    ) -> Connection[ResidencyRef] | None:
        """Who stays here, as far as the viewer may know."""
        raise NotImplementedError


@strawberry.input
class CityFilter:
    """Narrows the list of cities."""

    country: list[CountryCode] | None = where("{row}.country = any ({value}::text[])")
    with_vacancy: bool | None = where("({row}.vacancies > 0) = {value}::boolean")
    name: str | None = where("strpos(lower({row}.name), lower({value}::text)) > 0")


@strawberry.input
class PublishVacanciesInput:
    """How many places a city has for people: its own word, and public."""

    idempotency_key: str
    city: strawberry.ID
    vacancies: int
