// What Mercurius, Yoga and Apollo have in common: the schema, the partner's rows in as few statements as there are kinds, and loaders.
import { database, load, pool, sockets } from './given.mjs'

export const typeDefs = `
  type Organisation { name: String! }
  type City { name: String! country: String! }
  type Referral { status: String! urgency: String! submittedAt: String! from: Organisation! }
  type Residency { status: String! city: City! }
  type Case {
    id: ID! reference: String! origin: String discipline: String! riskLevel: String! status: String! openedOn: String! updatedAt: String!
    referrals(first: Int = 5): [Referral!]!
    residencies: [Residency!]!
  }
  type Query { cases(first: Int = 50): [Case!]! case(id: ID!): Case }
`
// Dates and times go out as Postgres writes them.
const text = { to: 25, from: [1082, 1184], serialize: value => value, parse: value => value }
const sql = load('postgres')({ host: sockets, database, user: 'postgres', max: pool, types: { text }, connection: { search_path: 'hub' } })
const fetch = (statement, values) => sql.unsafe(statement, values, { prepare: true })
const CASE = `a.case_id, 'case_' || a.pairwise as id, a.reference, a.origin, a.discipline, a.risk_level as "riskLevel", a.status,
  a.opened_on as "openedOn", a.updated_at as "updatedAt" from case_access a where a.organisation = $1 and a.overview @> now()`

const grouped = (keys, rows, key) => {
  const found = new Map(keys.map(one => [one, []]))
  for (const row of rows) found.get(row[key]).push(row)
  return keys.map(one => found.get(one))
}
const singly = (keys, rows) => {
  const found = new Map(rows.map(row => [row.id, row]))
  return keys.map(one => found.get(one))
}

export const cases = (org, first) => fetch(`select ${CASE} order by a.opened_on desc, a.pairwise desc limit $2`, [org, first])
export const oneCase = async (org, id) => (await fetch(`select ${CASE} and a.pairwise = $2::uuid`, [org, id.replace('case_', '')]))[0]
export const referrals = async (org, keys, first) => grouped(keys, await fetch(
  `select r.* from unnest($2::uuid[]) c(id) cross join lateral (
     select r.case_id, r.status, r.urgency, r.submitted_at as "submittedAt", r.sender from referral_access r
     where r.organisation = $1 and r.case_id = c.id and r.visible @> now() order by r.submitted_at desc, r.pairwise desc limit $3) r`,
  [org, keys, first]), 'case_id')
export const residencies = async (org, keys) => grouped(keys, await fetch(
  `select r.case_id, r.status, r.city from residency r join case_access a on a.case_id = r.case_id and a.organisation = $1 and a.whereabouts @> now()
   where r.case_id = any ($2::uuid[]) order by r.starts_on desc`, [org, keys]), 'case_id')
export const organisations = async keys => singly(keys, await fetch('select id, name from organisation where id = any ($1::int[])', [keys]))
export const cities = async keys => singly(keys, await fetch('select id, name, country from city where id = any ($1::int[])', [keys]))

export const resolvers = {
  Query: { cases: (_, { first }, { org }) => cases(org, first), case: (_, { id }, { org }) => oneCase(org, id) },
  Case: {
    referrals: (row, { first }, { loaders }) => loaders.referrals(first).load(row.case_id),
    residencies: (row, _, { loaders }) => loaders.residencies.load(row.case_id),
  },
  Referral: { from: (row, _, { loaders }) => loaders.organisations.load(row.sender) },
  Residency: { city: (row, _, { loaders }) => loaders.cities.load(row.city) },
}
export const context = org => {
  const DataLoader = load('dataloader')
  const bySize = new Map()
  return {
    org,
    loaders: {
      referrals: first => bySize.get(first) ?? bySize.set(first, new DataLoader(keys => referrals(org, keys, first))).get(first),
      residencies: new DataLoader(keys => residencies(org, keys)),
      organisations: new DataLoader(organisations),
      cities: new DataLoader(cities),
    },
  }
}
