// A client of the hub: what it is given on standard input, and a fetch that puts a live token and a fresh proof on every request.
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";

export const given = JSON.parse(readFileSync(0, "utf8"));
const mine = createPrivateKey({ key: given.private_jwk, format: "jwk" });
const proving = generateKeyPairSync("ec", { namedCurve: "P-256" });
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function jwt(header, claims, key) {
  const text = `${encoded({ alg: "ES256", ...header })}.${encoded({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

function proof(method, url, token) {
  const ath = token && { ath: createHash("sha256").update(token).digest("base64url") };
  const jwk = proving.publicKey.export({ format: "jwk" });
  return jwt({ typ: "dpop+jwt", jwk }, { htm: method, htu: String(url).split("?")[0], ...ath }, proving.privateKey);
}

async function newToken() {
  const url = `${given.issuer}/oauth/token`;
  const client = given.client_id;
  const assertion = jwt(
    { kid: given.private_jwk.kid },
    { iss: client, sub: client, aud: given.issuer, exp: Math.floor(Date.now() / 1000) + 60 },
    mine,
  );
  const form = {
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  };
  const answer = await fetch(url, { method: "POST", headers: { DPoP: proof("POST", url) }, body: new URLSearchParams(form) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).access_token;
}

const token = await newToken();

export const signed = (method, url) => ({ Authorization: `DPoP ${token}`, DPoP: proof(method, url, token) });

export function signedFetch(url, init = {}) {
  return fetch(url, { ...init, headers: { ...init.headers, ...signed(init.method ?? "GET", url) } });
}
