// What every peer is told: where it listens, where its packages lie, and where Postgres is.
import { createRequire } from 'node:module'

export const { port, modules, sockets, database, pool } = JSON.parse(process.env.BENCH)
export const load = createRequire(`${modules}/`)
export const organisation = request => Number(request.headers['x-organisation'])
