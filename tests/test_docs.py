"""The README tells everything that is declared: what is not in it does not exist for a user."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate
from typer.main import get_command

from auth.people.refusals import Refusal
from auth.purposes import Purpose
from auth.refusals import Reason
from auth.scopes import Scope
from connectors.kinds import KINDS, check
from connectors.secrets import from_environment
from connectors.surroundings import Surroundings
from hub.cli import app
from hub.feeds.feed import read_feeds
from hub.settings import Settings
from schema.enums import Category
from schema.query import SCHEMA
from tests.conftest import Database
from tests.world import build

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
ASKED_FOR = {
    scope
    for groups in re.findall(r"@requiresScopes\(scopes: (\[\[.*?\]\])\)", SCHEMA.as_str())
    for scope in re.findall(r'"(.+?)"', groups)
}
"""The scopes that some field or type of the schema asks for."""

SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
]
STACK = (ROOT / "docker-compose.yml").read_text()
TYPED = sorted(
    {
        words.split(" #")[0].strip()
        for text in (*SHELL, *STACK.splitlines(), *re.findall(r"`([^`\n]+)`", README))
        for words in re.findall(r"(?:^|bin/|&& |exec hub |run --rm )(?:hub|operator) ([a-z].*?)(?= &&| [|<>]|$)", text)
    }
    | {words.replace(",", "") for words in re.findall(r"command: \[((?!postgres)[a-z, ]+)\]", STACK)}
)
"""The commands that the README and the stack have somebody type."""


def sources(*folders: str) -> str:
    """Give the source text of packages."""
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("scope", list(Scope), ids=str)
def test_every_scope_is_told_with_its_words(scope: Scope) -> None:
    """A partner admin reads what a scope allows before granting it, and that it opens nothing as long as the schema asks for it nowhere."""
    mark = "" if scope in ASKED_FOR else " *(not yet)*"
    assert f"| `{scope}` | {scope.description}{mark} |" in README


@pytest.mark.parametrize("reason", list(Reason), ids=str)
def test_every_reason_of_a_refusal_is_told(reason: Reason) -> None:
    """An operator looks up the code of a log line and finds the usual cause."""
    assert f"| `{reason}` | {reason.cause} |" in README


@pytest.mark.parametrize("refusal", list(Refusal), ids=str)
def test_every_reason_not_to_let_somebody_in_is_told(refusal: Refusal) -> None:
    """An operator whom a person asks finds the usual cause too."""
    assert f"| `{refusal}` | {refusal.cause} |" in README


async def test_the_statements_of_the_readme_run(database: Database) -> None:
    """On a new hub: the feed's settings have no flaw, and the client is taken out."""
    async with build(database) as world:
        await world.organisation("icorn", "ICORN")
        await world.organisation("pen-centre")
        await world.client("pen-centre", "pen-centre")
        entered, taken_out = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
        await world.admin.execute(entered)
        (feed,) = await read_feeds(await database.connect("hub_worker"))
        flaws = check(feed.kind, feed.settings, feed.mapping, Surroundings(from_environment()))
        before = await world.ask("pen-centre", "{ viewer { clientId } }")
        await world.admin.execute(taken_out)
        after = await world.ask("pen-centre", "{ viewer { clientId } }")

    assert flaws == ()
    assert "errors" not in before
    assert after["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("row", Settings.listed(), ids=lambda row: row[0])
def test_every_setting_is_told_with_its_default(row: tuple[str, str, str]) -> None:
    """An operator finds every setting in one table, as the code has it."""
    name, default, description = row
    assert f"| `{name}` | {f'`{default}`' if default else ''} | {description} |" in README


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_feed_is_told(kind: str) -> None:
    """Whoever connects a feed finds its kind."""
    assert f"`{kind}`" in README


@pytest.mark.parametrize("purpose", list(Purpose), ids=str)
def test_every_purpose_is_told(purpose: Purpose) -> None:
    """A client author finds what Hub-Purpose may say."""
    assert f"`{purpose}`" in README


@pytest.mark.parametrize("category", list(Category), ids=str)
def test_every_category_is_told(category: Category) -> None:
    """Who sees what is told category by category."""
    assert f"| {category} |" in README


@pytest.mark.parametrize("code", sorted(set(re.findall(r'problem\(\s*"([A-Z_]+)"', sources("hub")))))
def test_every_error_code_is_told(code: str) -> None:
    """A client author can look up whatever code comes back."""
    assert f"`{code}`" in README


@pytest.mark.parametrize("code", sorted(set(re.findall(r'\.add\(\s*"([A-Z_]+)"', sources("hub/commands")))))
def test_every_problem_code_is_told(code: str) -> None:
    """A client author can look up whatever problem comes back."""
    assert f"`{code}`" in README


@pytest.mark.parametrize("target", re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
def test_every_make_target_is_told(target: str) -> None:
    """A developer finds what make can do."""
    assert re.search(rf"targets: .*\b{target}\b", README)


@pytest.mark.parametrize(
    "package",
    re.findall(
        r"^([a-z][a-z0-9-]+)",
        (ROOT / "requirements.in").read_text() + (ROOT / "requirements-dev.in").read_text(),
        re.MULTILINE,
    ),
)
def test_every_dependency_is_told(package: str) -> None:
    """Each dependency has a line that says what it does for us."""
    table = README.partition("## Dependencies")[2].partition("\n## ")[0]
    family = package.split("-", maxsplit=1)[0]
    assert package in table or f"{family}-*" in table or (family == "pytest" and package.split("-")[1] in table)


def test_every_claim_of_the_security_page_points_to_a_test_that_is_there() -> None:
    """A reader who doubts a sentence finds the test of that name."""
    there = set(re.findall(r"^(?:async )?def (test_\w+)", sources("tests"), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", SECURITY))
    assert named
    assert named - there == set()


@pytest.mark.parametrize("typed", TYPED)
def test_every_command_that_somebody_is_told_to_type_is_there(typed: str) -> None:
    """With its options: an operator in a hurry copies it."""
    known = get_command(app)
    words = [word for word in re.sub(r"'.*?'", "", typed).split() if word != "..."]
    while words and hasattr(known, "commands"):
        assert words[0] in known.commands
        known = known.commands[words.pop(0)]
    options = {option for parameter in known.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= options


@pytest.mark.parametrize("page", [README, SECURITY], ids=["README", "SECURITY"])
def test_every_link_within_a_page_leads_to_a_heading(page: str) -> None:
    """The line of contents, and every "see below"."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    there = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#(.+?)\)", page)) <= there


@pytest.mark.parametrize("view", ["case_basis", "case_access_rule"])
def test_who_reads_the_rule_is_sent_to_the_file_that_has_it(view: str) -> None:
    """A later migration may say it anew; then that is the file to read."""
    last = max(path.name for path in (ROOT / "schema/sql").glob("0*.sql") if f"view {view} with" in path.read_text())
    assert any(f"`{view}`" in line and f"`schema/sql/{last}`" in line for line in README.splitlines())


@pytest.mark.parametrize(
    "operation",
    [line for block in re.findall(r"```graphql\n(.*?)```", README, re.DOTALL) for line in block.splitlines()],
)
def test_every_operation_of_the_readme_is_one_of_the_schema(operation: str) -> None:
    """A partner's developer pastes it and puts an id in."""
    assert validate(SCHEMA._schema, parse(operation)) == []  # noqa: SLF001 there is no other way to it
