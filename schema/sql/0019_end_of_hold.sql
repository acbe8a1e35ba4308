-- Why a hold ended, sealed under the case's key: lifting one opens a case to those it was kept from.
alter table hold add column end_reason bytea;
