import { matches } from '../filter.js'
import type { User } from '../rest.js'
import type { FakeServer } from './server.js'

/** Return what the server answers to a REST call: the list of users, or who one is. */
export function answerOf(server: FakeServer, url: URL, init: RequestInit): Response {
  const path = url.pathname.replace('/api/v1', '')
  const token = new Headers(init.headers).get('Authorization')?.replace('Bearer ', '') ?? ''
  server.requests.push({ method: init.method ?? 'GET', path: path + url.search, token })
  if (!server.isGood(token)) return problem(401, 'token_expired')
  if (!server.mayWatch) return problem(403, 'not_authorised')
  if (path === '/me') return json({ ...server.user, tenant: { slug: server.tenant, name: server.tenant }, role: null })
  if (path === '/users') return json(pageOf(server, url))
  const user = usersOf(server).find(({ id }) => path === `/users/${id}`)
  if (user) return json(user)
  return problem(404, 'not_found')
}

const usersOf = (server: FakeServer): User[] => server.log.events.map(({ data, redacted }) => ({ ...data, redacted }))

function pageOf(server: FakeServer, { searchParams: asked, href }: URL): object {
  const filter = { q: asked.get('q') ?? '', joinedVia: asked.get('joined_via') ?? '' }
  const before = asked.get('before')
  const limit = Number(asked.get('limit') ?? 50)
  const rows = usersOf(server)
    .filter((user) => matches(user, filter) && (before === null || user.id < before))
    .sort((a, b) => (a.id < b.id ? 1 : -1))
  const results = rows.slice(0, limit)
  return { results, next: rows.length > limit ? href : null, previous: null }
}

const json = (content: unknown): Response =>
  new Response(JSON.stringify(content), { headers: { 'Content-Type': 'application/json' } })

const problem = (status: number, code: string): Response =>
  new Response(JSON.stringify({ status, code, detail: `${code}, as the fake server has it`, request_id: 'fake' }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  })
