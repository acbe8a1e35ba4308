// A federation of the hub and a subgraph of notes about cases, composed by Apollo's own composition and asked through a router in this
// process. Its only way to the hub is its own client's token: by it, it reads the hub's SDL and asks for what it plans.
import { composeServices } from "@apollo/composition";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { graphql, parse } from "graphql";
import { given, signedFetch } from "./signed.mjs";

const hub = `${given.issuer}/graphql`;
const elsewhere = "https://notes.example/graphql";
const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Query { notes: [Note!]! }
  type Note { text: String! about: Case }
  type Case @key(fields: "id") { id: ID! notes: [Note!]! }`);
const resolvers = {
  Query: { notes: () => given.about.map((id) => ({ text: "A note", about: { id } })) },
  Case: {
    __resolveReference: ({ id }) => ({ id }),
    notes: ({ id }) => [{ text: `About number ${given.about.indexOf(id)}` }],
  },
};
const notes = buildSubgraphSchema({ typeDefs, resolvers });
const asked = [];

async function send(url, init) {
  const { query, variables } = JSON.parse(init.body);
  if (String(url) === elsewhere) {
    return Response.json(await graphql({ schema: notes, source: query, variableValues: variables }));
  }
  asked.push(query);
  return signedFetch(url, { method: init.method, headers: init.headers, body: init.body });
}

const described = await send(hub, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ query: "{ _service { sdl } }" }),
});
const composed = composeServices([
  { name: "hub", url: hub, typeDefs: parse((await described.json()).data._service.sdl) },
  { name: "notes", url: elsewhere, typeDefs },
]);
if (composed.errors) throw new AggregateError(composed.errors);
const gateway = createGatewayRuntime({ supergraph: composed.supergraphSdl, fetchAPI: { fetch: send }, logging: false });
const answers = [];
for (const query of given.queries) {
  const headers = { "Content-Type": "application/json" };
  const answer = await gateway.fetch("http://router.example/graphql", { method: "POST", headers, body: JSON.stringify({ query }) });
  answers.push(await answer.json());
}
await gateway[Symbol.asyncDispose]();
console.log(JSON.stringify({ answers, asked, supergraph: composed.supergraphSdl }));
