// Apollo Server with DataLoader.
import { load, organisation, port } from './given.mjs'
import { context, resolvers, typeDefs } from './rows.mjs'

const { ApolloServer } = load('@apollo/server')
const { startStandaloneServer } = load('@apollo/server/standalone')
const server = new ApolloServer({ typeDefs, resolvers, csrfPrevention: false })
await startStandaloneServer(server, { listen: { port, host: '127.0.0.1' }, context: async ({ req }) => context(organisation(req)) })
