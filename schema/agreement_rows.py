"""This module is the first wall of what belongs to agreements: why one ended, and what one would open and close."""

from schema.fields import Document, Rows

AGREEMENT_REASON = Document(
    subject="'agreement:' || {row}.agreement",
    sql="select 1 as key_version, {row}.reason as sealed, k.kek, k.wrapped from agreement_end k where k.agreement = {row}.agreement",
    access="{row}.reason is not null",
)
EFFECT = Rows("select 1 as one", access="(select viewer_is_icorn() and viewer_has('access:manage', 'cases:read'))")
_SIMULATED = (
    " from organisation o cross join lateral simulate_agreement(o.id, {parent}.categories, {parent}.origins, {parent}.disciplines,"
    " {parent}.starts, {parent}.ends, (select g.id from agreement g where 'agreement_' || g.id = {parent}.replaces)) s"
    " where 'organisation_' || o.code = {parent}.organisation"
)
OPENS = Rows(f"select s.category, s.opens as cases{_SIMULATED}")
CLOSES = Rows(f"select s.category, s.closes as cases{_SIMULATED}")
