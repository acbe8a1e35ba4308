"""This module is the Northlight PEN Centre, which does not exist: its referrals, and how the hub is told to read them.

Every person, place of work, title and address in here is invented.
"""

from typing import Any

Raw = dict[str, Any]


def _referral(number: int, changed: str, names: tuple[str, str], born: str | None, home: str, **rest: Any) -> Raw:
    return {
        "id": f"NL-{number}",
        "link": f"https://cases.northlight-pen.example/referrals/NL-{number}",
        "createdAt": f"2026-{changed[:2]}-01T08:00:00Z",
        "updatedAt": f"2026-{changed}",
        "homeCountry": home,
        "applicant": {
            "firstName": names[0],
            "lastName": names[1],
            "dateOfBirth": born,
            "penNames": rest.pop("pen_names", []),
            "gender": rest.pop("gender", None),
            "passports": rest.pop("passports", [home]),
        },
        **rest,
    }


#: Samira Vellani (NL-3) and Tomas Berrow (NL-7) have turned to Arts Haven, too.
RECORDS: list[Raw] = [
    _referral(
        1,
        "06-03T09:15:00Z",
        ("Ilya", "Marovets"),
        "1979-02-11",
        "BY",
        profession="poet",
        dangerGrade=3,
        priority="normal",
        gender="male",
        pen_names=["I. Marsh"],
        story="Poet and editor of a literary almanac that was closed by court order.",
        spokenLanguages=["be", "ru", "en"],
        publications=[{"title": "The Salt Ledger", "year": 2011, "form": "poetry"}],
        threats={
            "summary": "Two house searches and a travel ban.",
            "by": ["government", "police"],
            "events": [{"day": "2026-05-19", "kind": "house search", "text": "Manuscripts and laptop taken."}],
        },
        stay={"country": "LT", "town": "Vilnius", "since": "2026-05-25", "hidden": False},
        reachableBy=[{"medium": "signal", "value": "+370 000 0001", "secure": True}],
        mayBeCalled=True,
    ),
    _referral(
        2,
        "06-20T11:40:00Z",
        ("Awet", "Tesfaldet"),
        "1990-08-30",
        "ER",
        profession="reporter",
        dangerGrade=4,
        priority="emergency",
        gender="male",
        story="Radio reporter who covered conscription.",
        spokenLanguages=["ti", "ar"],
        threats={"summary": "A warrant is out; his brother was detained.", "by": ["army"], "events": []},
        stay={"country": "SD", "town": "Kassala", "street": "with a cousin near the market", "hidden": True},
        reachableBy=[{"medium": "phone", "value": "+249 000 0002", "secure": False}],
        mayBeCalled=False,
        household=[{"relation": "wife", "name": "Selam", "dateOfBirth": "1993-01-05", "comesAlong": True}],
    ),
    _referral(
        3,
        "07-02T16:05:00Z",
        ("Samira", "Vellani"),
        "1986-11-23",
        "IR",
        profession="novelist",
        dangerGrade=3,
        priority="urgent",
        gender="female",
        pen_names=["S. Parvaneh"],
        story="Novelist; her third book was withdrawn and pulped.",
        spokenLanguages=["fa", "fr"],
        publications=[
            {"title": "A House Without Doors", "year": 2015, "form": "novel"},
            {"title": "Rain on Tin", "year": 2021, "form": "novel"},
        ],
        threats={
            "summary": "Summoned four times; anonymous calls at night.",
            "by": ["government", "online"],
            "events": [{"day": "2026-06-11", "kind": "interrogation", "text": "Nine hours, no lawyer."}],
        },
        stay={"country": "TR", "town": "Van", "since": "2026-06-20", "hidden": True},
        reachableBy=[{"medium": "signal", "value": "+90 000 0003", "secure": True}],
        mayBeCalled=True,
        medical="Insulin, supply for six weeks.",
        household=[{"relation": "daughter", "name": "Roya", "dateOfBirth": "2017-04-14", "comesAlong": True}],
    ),
    _referral(
        4,
        "07-15T07:30:00Z",
        ("Huong", "Bach Lieu"),
        None,
        "VN",
        profession="blogger",
        dangerGrade=2,
        priority="normal",
        gender="female",
        story="Writes on land rights under several names.",
        spokenLanguages=["vi", "en"],
        threats={"summary": "Fined twice.", "by": ["police"], "events": []},
        stay={"country": "VN", "town": "Hue", "hidden": False},
    ),
    _referral(
        5,
        "08-01T13:00:00Z",
        ("Mateo", "Quillarte"),
        "1968-03-09",
        "NI",
        profession="publisher",
        dangerGrade=3,
        priority="urgent",
        gender="male",
        passports=[],
        story="Ran a small press for thirty years; stripped of his nationality.",
        spokenLanguages=["es"],
        threats={"summary": "Press confiscated.", "by": ["government"], "events": []},
        stay={"country": "CR", "town": "San Jose", "since": "2026-02-11", "hidden": False},
        medical="Walks with a cane.",
    ),
    _referral(
        6,
        "08-19T10:10:00Z",
        ("Zarmina", "Khosti"),
        "1998-12-01",
        "AF",
        profession="poet",
        dangerGrade=4,
        priority="emergency",
        gender="female",
        pen_names=["Laila of the Well"],
        story="Taught writing to girls in her parents' house.",
        spokenLanguages=["ps", "fa"],
        threats={
            "summary": "Letters at the door; a pupil's family was questioned about her.",
            "by": ["armed group", "religious"],
            "events": [{"day": "2026-08-02", "kind": "threat", "text": None}],
        },
        stay={"country": "PK", "town": "Quetta", "hidden": True},
        mayBeCalled=False,
        reachableBy=[{"medium": "e-mail", "value": "well@mail.example", "secure": True}],
        household=[{"relation": "mother", "name": None, "dateOfBirth": None, "comesAlong": True}],
    ),
    _referral(
        7,
        "09-05T18:45:00Z",
        ("Tomas", "Berrow"),
        "1982-07-17",
        "VE",
        profession="cartoonist",
        dangerGrade=2,
        priority="normal",
        gender="male",
        pen_names=["Tomb"],
        story="Drew a daily strip until the paper closed.",
        spokenLanguages=["es", "pt"],
        threats={"summary": "Sued for insult.", "by": ["government"], "events": []},
        stay={"country": "CO", "town": "Cucuta", "since": "2026-03-30", "hidden": False},
    ),
    _referral(
        8,
        "09-22T08:20:00Z",
        ("Perihan", "Altuncu"),
        "1975-05-28",
        "TR",
        profession="translator",
        dangerGrade=2,
        priority="normal",
        gender="female",
        story="Translated a banned history.",
        spokenLanguages=["tr", "ku", "de"],
        threats={"summary": "On trial.", "by": ["government"], "events": []},
        stay={"country": "TR", "town": "Izmir", "hidden": False},
    ),
]

SETTINGS: Raw = {
    "url": "http://127.0.0.1:8101/graphql",
    "auth": {"scheme": "bearer", "secret": "pen-centre-token"},
    "connection": "referrals",
    "pageSize": 4,
    "query": """
query Referrals($first: Int!, $after: String, $since: String) {
  referrals(first: $first, after: $after, updatedSince: $since) {
    edges { node {
      id link createdAt updatedAt profession homeCountry dangerGrade priority story spokenLanguages mayBeCalled medical
      applicant { firstName lastName penNames dateOfBirth gender passports }
      publications { title year form }
      threats { summary by events { day kind text } }
      stay { country town street since hidden }
      reachableBy { medium value secure }
      household { relation name dateOfBirth comesAlong }
    } }
    pageInfo { hasNextPage endCursor }
  }
}""",
}

MAPPING: Raw = {
    "sourceId": "id",
    "sourceUrl": "link",
    "discipline": {
        "path": "profession",
        "table": {
            "poet": "WRITER",
            "novelist": "WRITER",
            "blogger": "WRITER",
            "reporter": "JOURNALIST",
            "translator": "TRANSLATOR",
            "publisher": "PUBLISHER",
            "cartoonist": "CARTOONIST",
        },
        "default": "OTHER",
    },
    "origin": "homeCountry",
    "riskLevel": {"path": "dangerGrade", "table": {"1": "LOW", "2": "MODERATE", "3": "HIGH", "4": "EXTREME"}},
    "urgency": {"path": "priority", "table": {"normal": "ROUTINE", "urgent": "URGENT", "emergency": "EMERGENCY"}},
    "submittedAt": "createdAt",
    "updatedAt": "updatedAt",
    "person": {
        "profile": {
            "biography": "story",
            "languages": "spokenLanguages",
            "works": {"each": "publications", "fields": {"title": "title", "year": "year", "kind": "form"}},
        },
        "identity": {
            "givenName": "applicant.firstName",
            "familyName": "applicant.lastName",
            "pseudonyms": "applicant.penNames",
            "bornOn": "applicant.dateOfBirth",
            "gender": "applicant.gender",
            "nationalities": "applicant.passports",
        },
        "contact": {
            "channels": {
                "each": "reachableBy",
                "fields": {"kind": "medium", "address": "value", "safe": {"path": "secure", "default": False}},
            },
            "mayContactDirectly": {"path": "mayBeCalled", "default": False},
        },
        "whereabouts": {
            "country": "stay.country",
            "city": "stay.town",
            "address": "stay.street",
            "asOf": "stay.since",
            "inHiding": {"path": "stay.hidden", "default": False},
        },
        "threat": {
            "summary": "threats.summary",
            "sources": {
                "path": "threats.by",
                "table": {
                    "government": "STATE",
                    "army": "MILITARY",
                    "police": "POLICE",
                    "armed group": "ARMED_GROUP",
                    "religious": "RELIGIOUS_GROUP",
                    "neighbours": "COMMUNITY",
                    "online": "ONLINE",
                },
                "default": "UNKNOWN",
            },
            "incidents": {
                "each": "threats.events",
                "fields": {"happenedOn": "day", "kind": "kind", "description": "text"},
            },
        },
        "health": {"needs": "medical"},
        "family": {
            "members": {
                "each": "household",
                "fields": {
                    "relation": "relation",
                    "name": "name",
                    "bornOn": "dateOfBirth",
                    "relocating": {"path": "comesAlong", "default": False},
                },
            }
        },
    },
}
