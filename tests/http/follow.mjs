// Follows a subscription with graphql-sse and with graphql-ws, two events each, and prints what each was told.
import { createClient as overEvents } from "graphql-sse";
import { createClient as overSocket } from "graphql-ws";
import WebSocket from "ws";
import { given, signed, signedFetch } from "./signed.mjs";

const url = `${given.issuer}/graphql`;

class Signed extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: signed("GET", url) });
  }
}

async function two(client) {
  const told = [];
  for await (const answer of client.iterate({ query: given.query })) {
    told.push(answer);
    if (told.length === 2) break;
  }
  client.dispose();
  return told;
}

const bySocket = overSocket({ url: url.replace("http", "ws"), webSocketImpl: Signed, retryAttempts: 0 });
const byEvents = overEvents({ url, fetchFn: signedFetch, retryAttempts: 0 });
const [socket, events] = await Promise.all([two(bySocket), two(byEvents)]);
console.log(JSON.stringify({ socket, events }));
