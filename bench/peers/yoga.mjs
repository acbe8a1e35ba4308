// GraphQL Yoga with DataLoader.
import { createServer } from 'node:http'
import { load, port } from './given.mjs'
import { context, resolvers, typeDefs } from './rows.mjs'

const { createSchema, createYoga } = load('graphql-yoga')
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  logging: false,
  graphiql: false,
  context: ({ request }) => context(Number(request.headers.get('x-organisation'))),
})
createServer(yoga).listen(port, '127.0.0.1')
