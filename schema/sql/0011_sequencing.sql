-- What the worker and the operator need of the database: the order of audit records, and which migrations are in.

-- The transaction that wrote a record. Below the oldest one still under way (pg_snapshot_xmin) no record can appear any more,
-- so the worker knows how far it has seen everything, however late a transaction commits.
alter table audit add column xid xid8 not null default pg_current_xact_id();
create index on audit (xid);

-- Id, time and transaction of a record are the database's to say.
revoke insert on audit from hub_app;
grant insert (organisation, client, usr, action, operation, purpose, subjects, categories, proof) on audit to hub_app;

grant select on migration to hub_worker;
create policy known on migration for select to hub_worker using (true);
