// Follows a subscription with graphql-sse and with graphql-ws until it ends, and prints what each was told and how it ended.
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

async function all(client) {
  const told = [];
  try {
    for await (const answer of client.iterate({ query: given.query })) told.push(answer);
  } catch (error) {
    told.push({ code: error.code, reason: error.reason, errors: Array.isArray(error) ? error : undefined });
  }
  return told;
}

let tell;
const ended = new Promise((resolve) => { tell = resolve; });
const on = { closed: (event) => tell({ code: event.code, reason: event.reason }) };
// Not lazy: it stays when nothing is followed any more, until the hub closes it.
const bySocket = overSocket({ url: url.replace("http", "ws"), webSocketImpl: Signed, retryAttempts: 0, lazy: false, onNonLazyError() {}, on });
const byEvents = overEvents({ url, fetchFn: signedFetch, retryAttempts: 0 });
const [socket, events, closed] = await Promise.all([all(bySocket), all(byEvents), ended]);
console.log(JSON.stringify({ socket, events, closed }));
