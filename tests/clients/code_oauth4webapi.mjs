// oauth4webapi as an app: node code_oauth4webapi.mjs credentials.json ALGORITHM REDIRECT_URI QUERY
// Prints where to send the person, reads where they came back to, and prints what became of it.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'

const [file, algorithm, redirect_uri, query] = process.argv.slice(2)
const [entry] = JSON.parse(await readFile(file, 'utf8'))
const issuer = new URL(entry.issuer)
const insecure = { [oauth.allowInsecureRequests]: true } // the hub under test is on loopback
const hub = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
const client = { client_id: entry.client_id }
const authentication = oauth.PrivateKeyJwt({ key: await importJWK(entry.private_jwk, algorithm), kid: entry.private_jwk.kid })
const options = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair(algorithm)), ...insecure }

async function withNonce(attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return await attempt()
  }
}

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const wish = {
  response_type: 'code',
  redirect_uri,
  scope: 'cases:read referrals:read',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}
const pushed = await withNonce(async () =>
  await oauth.processPushedAuthorizationResponse(hub, client, await oauth.pushedAuthorizationRequest(hub, client, authentication, wish, options)))
const url = new URL(hub.authorization_endpoint)
url.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri })
console.log(url.href)
const callback = new URL(await createInterface({ input: process.stdin }).question(''))

// Mix-up (RFC 9207): the same answer in another server's name is not believed.
const mixed = new URL(callback)
mixed.searchParams.set('iss', 'https://attacker.example')
let mixUp = 'refused'
try {
  oauth.validateAuthResponse(hub, client, mixed, state)
  mixUp = 'believed'
} catch {}

const told = oauth.validateAuthResponse(hub, client, callback, state)
const first = await withNonce(async () => await oauth.processAuthorizationCodeResponse(
  hub, client, await oauth.authorizationCodeGrantRequest(hub, client, authentication, told, redirect_uri, verifier, options)))
const second = await withNonce(async () => await oauth.processRefreshTokenResponse(
  hub, client, await oauth.refreshTokenGrantRequest(hub, client, authentication, first.refresh_token, options)))
const headers = new Headers({ 'Content-Type': 'application/json', 'Hub-Purpose': 'PROTECTION' })
const ask = async (token) => {
  const answer = await withNonce(() =>
    oauth.protectedResourceRequest(token, 'POST', new URL(entry.graphql_url), headers, JSON.stringify({ query }), options))
  return await answer.json()
}
const answers = [await ask(first.access_token), await ask(second.access_token)]
await oauth.processRevocationResponse(await oauth.revocationRequest(hub, client, authentication, first.refresh_token, insecure))
const after = await ask(second.access_token).then(() => 'answered', () => 'refused')
console.log(JSON.stringify({ type: first.token_type, scope: first.scope, rotated: Boolean(second.refresh_token) && second.refresh_token !== first.refresh_token, mixUp, answers, after }))
process.exit()
