// oauth4webapi as a machine: node machine_oauth4webapi.mjs credentials.json ALGORITHM QUERY
import { readFile } from 'node:fs/promises'
import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'

const [file, algorithm, query] = process.argv.slice(2)
const [entry] = JSON.parse(await readFile(file, 'utf8'))
const issuer = new URL(entry.issuer)
const insecure = { [oauth.allowInsecureRequests]: true } // the hub under test is on loopback
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
const hub = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: entry.client_id }
const authentication = oauth.PrivateKeyJwt({ key: await importJWK(entry.private_jwk, algorithm), kid: entry.private_jwk.kid })
const options = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair(algorithm)), ...insecure }
let retries = 0

async function withNonce(attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    retries += 1
    return await attempt()
  }
}

const token = await withNonce(async () => {
  const scope = 'cases:read referrals:read'
  const answer = await oauth.clientCredentialsGrantRequest(hub, client, authentication, { scope }, options)
  return await oauth.processClientCredentialsResponse(hub, client, answer)
})
const headers = new Headers({ 'Content-Type': 'application/json', 'Hub-Purpose': 'PROTECTION' })
const url = new URL(entry.graphql_url)
const ask = () => oauth.protectedResourceRequest(token.access_token, 'POST', url, headers, JSON.stringify({ query }), options)
const answer = await withNonce(ask)

// And the client's own check of the token, as another resource server of ICORN would do it (RFC 9068, RFC 9449).
const request = new Request(url, { method: 'POST', headers: await proven() })
const claims = await oauth.validateJwtAccessToken(hub, request, `${entry.issuer}/graphql`, insecure)
console.log(JSON.stringify({ type: token.token_type, scope: token.scope, answer: await answer.json(), claimed: claims.client_id, retries }))

async function proven() {
  let sent
  const kept = { ...options, [oauth.customFetch]: async (_, init) => { sent = init.headers; return new Response('{}') } }
  await oauth.protectedResourceRequest(token.access_token, 'POST', url, undefined, undefined, kept)
  return sent
}
