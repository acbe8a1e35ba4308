// Runs every audit of graphql-http, one after the other, and prints what became of each.
import { serverAudits } from "graphql-http";
import { given, signedFetch } from "./signed.mjs";

const told = [];
for (const audit of serverAudits({ url: `${given.issuer}/graphql`, fetchFn: signedFetch })) {
  const result = await audit.fn();
  told.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
}
console.log(JSON.stringify(told));
