"""This module says what the documents of invented people say, in one of four ways each, and what was counted of them."""

from typing import Any

from tests.interference.names import FAMILY_NAMES

STATISTICS = {
    "": None,
    "origin": "IR",
    "discipline": "WRITER",
    "status": "CANDIDATE",
    "risk_level": "HIGH",
    "year": 2026,
}
"""What the released statistics tell: in each dimension one cell of all twenty."""


def said(category: str, variant: int) -> dict[str, Any]:
    """Give what a document of a category says, in one of four ways."""
    documents: dict[str, dict[str, Any]] = {
        "PROFILE": {
            "biography": f"Wrote {variant} books.",
            "languages": ["fa"] * variant,
            "works": [{"title": "The Salt Road", "year": 2000 + variant, "kind": "novel"}] * min(variant, 1),
        },
        "IDENTITY": {
            "givenName": "Mina",
            "familyName": FAMILY_NAMES[variant],
            "pseudonyms": [],
            "nationalities": ["IR"],
        },
        "CONTACT": {
            "channels": [{"kind": "signal", "address": str(variant), "safe": True}],
            "mayContactDirectly": False,
        },
        "WHEREABOUTS": {"country": "TR", "city": f"Town {variant}", "inHiding": True},
        "THREAT": {
            "summary": f"Warned {variant} times.",
            "sources": ["STATE"],
            "incidents": [{"happenedOn": "2025-11-03", "kind": "summons"}] * variant,
        },
        "HEALTH": {"needs": f"Needs {variant}"},
        "FAMILY": {"members": [{"relation": "daughter", "relocating": True}] * variant},
        "ASSESSMENT": {"recommendation": f"Score {variant}"},
    }
    return documents[category]
