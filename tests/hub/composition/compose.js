// Composes hub.graphql with a subgraph that adds to cases, and prints what came of it.
const { composeServices } = require("@apollo/composition");
const { parse } = require("graphql");
const { readFileSync } = require("fs");

const notes = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { notes: [Note!]! }
  type Note { id: ID! about: Case! }
  type Case @key(fields: "id") { id: ID! notes: [Note!]! }`;
const told = composeServices([
  { name: "hub", url: "https://hub.example/graphql", typeDefs: parse(readFileSync("hub.graphql", "utf8")) },
  { name: "notes", url: "https://notes.example/graphql", typeDefs: parse(notes) },
]);
console.log(JSON.stringify({ errors: (told.errors || []).map((e) => e.message), supergraph: told.supergraphSdl || "" }));
