// Mercurius with graphql-jit and its own loaders.
import { load, organisation, port } from './given.mjs'
import { cities, organisations, referrals, residencies, resolvers, typeDefs } from './rows.mjs'

// Each kind is fetched once for all that ask, and every key once.
const loader = (key, fetch) => async (queries, { org }) => {
  const keys = queries.map(query => query.obj[key])
  const once = [...new Set(keys)]
  const rows = await fetch(org, once, queries[0].params)
  const found = new Map(once.map((one, place) => [one, rows[place]]))
  return keys.map(one => found.get(one))
}
const uncached = one => ({ loader: one, opts: { cache: false } })

const app = load('fastify')()
app.register(load('mercurius'), {
  schema: typeDefs,
  resolvers: { Query: resolvers.Query },
  jit: 1,
  context: request => ({ org: organisation(request) }),
  loaders: {
    Case: {
      referrals: uncached(loader('case_id', (org, keys, { first }) => referrals(org, keys, first ?? 5))),
      residencies: uncached(loader('case_id', residencies)),
    },
    Referral: { from: uncached(loader('sender', (_, keys) => organisations(keys))) },
    Residency: { city: uncached(loader('city', (_, keys) => cities(keys))) },
  },
})
await app.listen({ port, host: '127.0.0.1' })
