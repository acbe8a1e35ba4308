// Ask the ICORN hub, as a partner's own program would (Node 20 or newer):
//
//     npm ci
//     node client.mjs credentials.json '{ viewer { clientId scopes } }' PROTECTION
//
// `credentials.json` is what `hub keygen` made. Take this file as it is, or the parts you need.

import { readFile } from 'node:fs/promises'
import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'

const [file, query, purpose] = process.argv.slice(2)
if (!query) throw new Error("node client.mjs credentials.json '{ viewer { clientId scopes } }' [PURPOSE]")
const [entry, ...others] = JSON.parse(await readFile(file, 'utf8'))
if (others.length) throw new Error(`${file} has several clients: keep one.`)

// The token endpoint comes from discovery (RFC 8414); the issuer that answers must be the one expected.
const issuer = new URL(entry.issuer)
const options = { [oauth.allowInsecureRequests]: ['127.0.0.1', 'localhost', '[::1]'].includes(issuer.hostname) }
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const hub = await oauth.processDiscoveryResponse(issuer, found)

// The client proves itself by its registered key; the token is bound to another, made now (DPoP, RFC 9449).
const client = { client_id: entry.client_id }
const { kid, kty } = entry.private_jwk
const key = await importJWK(entry.private_jwk, { EC: 'ES256', RSA: 'PS256', OKP: 'Ed25519' }[kty])
const authentication = oauth.PrivateKeyJwt({ key, kid })
options.DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

// A hub may want its own nonce in a proof: the first answer brings one, the second try uses it.
async function withNonce(attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return await attempt()
  }
}

const { access_token: token } = await withNonce(async () => {
  const answer = await oauth.clientCredentialsGrantRequest(hub, client, authentication, {}, options)
  return await oauth.processClientCredentialsResponse(hub, client, answer)
})

const headers = new Headers({ 'Content-Type': 'application/json', ...(purpose && { 'Hub-Purpose': purpose }) })
const body = JSON.stringify({ query })
const ask = () => oauth.protectedResourceRequest(token, 'POST', new URL(entry.graphql_url), headers, body, options)
const answer = await withNonce(ask)
console.log(JSON.stringify(await answer.json(), null, 2))
