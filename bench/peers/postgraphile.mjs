// PostGraphile 5: the tables themselves, and row security by the partner that a header names.
import { createServer } from 'node:http'
import { database, load, organisation, pool, port, sockets } from './given.mjs'

const imported = name => import(load.resolve(name))
const { PostGraphileAmberPreset } = await imported('postgraphile/presets/amber')
const { postgraphile } = await imported('postgraphile')
const { grafserv } = await imported('postgraphile/grafserv/node')
const { makePgService } = await imported('postgraphile/adaptors/pg')
const at = role => `postgresql://${role}@/${database}?host=${encodeURIComponent(sockets)}`

const preset = {
  extends: [PostGraphileAmberPreset.default ?? PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: at('peer'), superuserConnectionString: at('postgres'), schemas: ['hub', 'peer'], poolConfig: { max: pool } })],
  grafserv: { port, graphqlPath: '/graphql', graphiql: false, watch: false },
  disablePlugins: ['PgProceduresPlugin', 'PgCustomTypeFieldPlugin'],
  grafast: {
    explain: false,
    context: ({ node }) => ({ pgSettings: { role: 'peer', 'peer.organisation': node ? String(organisation(node.req)) : '' } }),
  },
}
const instance = postgraphile(preset)
const served = instance.createServ(grafserv)
const server = createServer()
await served.addTo(server)
server.listen(port, '127.0.0.1')
if (process.env.PRINT) console.log(load('graphql').printSchema(await instance.getSchema()))
