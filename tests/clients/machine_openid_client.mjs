// openid-client as a machine: node machine_openid_client.mjs credentials.json ALGORITHM QUERY
import { readFile } from 'node:fs/promises'
import { importJWK } from 'jose'
import * as openid from 'openid-client'

const [file, algorithm, query] = process.argv.slice(2)
const [entry] = JSON.parse(await readFile(file, 'utf8'))
const key = await importJWK(entry.private_jwk, algorithm)
const authentication = openid.PrivateKeyJwt({ key, kid: entry.private_jwk.kid })
const config = await openid.discovery(new URL(entry.issuer), entry.client_id, undefined, authentication, {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests], // the hub under test is on loopback
})
const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(algorithm))

const token = await openid.clientCredentialsGrant(config, { scope: 'cases:read referrals:read' }, { DPoP })
const headers = new Headers({ 'Content-Type': 'application/json', 'Hub-Purpose': 'PROTECTION' })
const url = new URL(entry.graphql_url)
const answer = await openid.fetchProtectedResource(config, token.access_token, url, 'POST', JSON.stringify({ query }), headers, { DPoP })
console.log(JSON.stringify({ type: token.token_type, scope: token.scope, answer: await answer.json() }))
