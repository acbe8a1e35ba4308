// openid-client as an app: node code_openid_client.mjs credentials.json ALGORITHM REDIRECT_URI QUERY
// Prints where to send the person, reads where they came back to, and prints what became of it.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { importJWK } from 'jose'
import * as openid from 'openid-client'

const [file, algorithm, redirect_uri, query] = process.argv.slice(2)
const [entry] = JSON.parse(await readFile(file, 'utf8'))
const key = await importJWK(entry.private_jwk, algorithm)
const authentication = openid.PrivateKeyJwt({ key, kid: entry.private_jwk.kid })
const config = await openid.discovery(new URL(entry.issuer), entry.client_id, undefined, authentication, {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests], // the hub under test is on loopback
})
const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(algorithm))

const pkceCodeVerifier = openid.randomPKCECodeVerifier()
const expectedState = openid.randomState()
const wish = {
  redirect_uri,
  scope: 'cases:read referrals:read',
  state: expectedState,
  code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
}
console.log((await openid.buildAuthorizationUrlWithPAR(config, wish, { DPoP })).href)
const callback = new URL(await createInterface({ input: process.stdin }).question(''))

// Mix-up (RFC 9207): the same answer in another server's name is not redeemed.
const mixed = new URL(callback)
mixed.searchParams.set('iss', 'https://attacker.example')
const checks = { pkceCodeVerifier, expectedState }
const mixUp = await openid.authorizationCodeGrant(config, mixed, checks, undefined, { DPoP }).then(() => 'redeemed', () => 'refused')

const first = await openid.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
const second = await openid.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP })
const ask = async (token) => {
  const headers = new Headers({ 'Content-Type': 'application/json', 'Hub-Purpose': 'PROTECTION' })
  const url = new URL(entry.graphql_url)
  const body = JSON.stringify({ query })
  const answer = await openid.fetchProtectedResource(config, token, url, 'POST', body, headers, { DPoP })
  return await answer.json()
}
const answers = [await ask(first.access_token), await ask(second.access_token)]
await openid.tokenRevocation(config, first.refresh_token)
const after = await ask(second.access_token).then(() => 'answered', () => 'refused')
console.log(JSON.stringify({ type: first.token_type, scope: first.scope, rotated: Boolean(second.refresh_token) && second.refresh_token !== first.refresh_token, mixUp, answers, after }))
process.exit()
