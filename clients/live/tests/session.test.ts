/** One browser, one session: renewed once for all tabs, ended in all at once, and its tokens in memory alone. */
import { AuthError, UsherError } from '@usher/client'
import { FakeServer } from '@usher/client/testing'
import { expect, test, vi } from 'vitest'
import { Session } from '../src/session/session'
import { FakeTabs, FakeWeb } from './web'

const ALICE = { tenant: 'acme', username: 'alice', password: 'usher-demo' }
const signal = new AbortController().signal

/** A server whose clock goes on by itself as far as calls need it. */
function browser(isSignedIn = true) {
  const server = new FakeServer()
  const web = new FakeWeb(server)
  web.isSignedIn = isSignedIn
  const tabs = new FakeTabs()
  const fetch: typeof globalThis.fetch = async (...args) => {
    const answer = web.fetch(...args)
    await server.clock.settle()
    return answer
  }
  const tab = (): Session =>
    new Session({ origin: server.url, fetch, tabs: tabs.open(), now: () => server.clock.now() })
  return { server, web, tab }
}

const refreshes = (web: FakeWeb): number => web.calls.filter((call) => call.endsWith('/refresh')).length

test('a browser that is signed in is found to be', async () => {
  const { tab } = browser()
  const session = tab()
  await session.restore()

  expect(session.getSnapshot()).toMatchObject({ status: 'signed_in', me: { username: 'alice' } })
})

test('one that is not is asked to sign in', async () => {
  const { tab } = browser(false)
  const session = tab()
  await session.restore()
  expect(session.getSnapshot()).toEqual({ status: 'signed_out', why: 'nobody' })

  await session.signIn(ALICE)

  expect(session.getSnapshot()).toMatchObject({ status: 'signed_in' })
})

test('a token that is good is given again, and one that is not is renewed', async () => {
  const { tab, web, server } = browser()
  const session = tab()
  await session.restore()
  const first = await session.getToken({ reason: 'initial', signal })
  expect(await session.getToken({ reason: 'reconnecting', signal })).toBe(first)
  expect(refreshes(web)).toBe(1)

  expect(await session.getToken({ reason: 'expired', signal })).not.toBe(first)
  await server.clock.advance(250_000)
  await session.getToken({ reason: 'reconnecting', signal })

  expect(refreshes(web)).toBe(3)
})

test('tabs that renew at once ask the server once', async () => {
  const { tab, web } = browser()
  const tabs = [tab(), tab(), tab()]
  for (const session of tabs) await session.restore()
  const before = refreshes(web)
  for (const session of tabs) await session.getToken({ reason: 'initial', signal })

  const tokens = await Promise.all(tabs.map((session) => session.getToken({ reason: 'expiring', signal })))

  expect(new Set(tokens).size).toBe(1)
  expect(refreshes(web)).toBe(before + 1)
})

test('a log-out in one tab is one in all', async () => {
  const { tab, web } = browser()
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()

  await one.signOut()

  expect(one.getSnapshot()).toEqual({ status: 'signed_out', why: 'left' })
  expect(other.getSnapshot()).toEqual({ status: 'signed_out', why: 'left_elsewhere' })
  expect(web.isSignedIn).toBe(false)
})

test('a log-out that the server could not be told of says so', async () => {
  const { tab, web, server } = browser()
  const session = tab()
  await session.restore()
  server.isDown = true

  await session.signOut()

  expect(session.getSnapshot()).toEqual({ status: 'signed_out', why: 'not_told' })
  expect(web.isSignedIn).toBe(true)
})

test('somebody who signs in in another tab is signed in here too', async () => {
  const { tab, web } = browser(false)
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()
  expect(web.isSignedIn).toBe(false)

  await one.signIn(ALICE)

  await vi.waitFor(() => expect(other.getSnapshot()).toMatchObject({ status: 'signed_in' }))
})

test('the same person who signs in anew in another tab is counted here, so that the page comes back', async () => {
  const { tab } = browser()
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()

  await one.signIn(ALICE)

  await vi.waitFor(() => expect(other.getSnapshot()).toMatchObject({ status: 'signed_in', signIns: 1 }))
})

test.each([
  [401, 'unauthenticated', AuthError],
  [403, 'not_authorised', AuthError],
  [503, 'tenant_suspended', UsherError],
  [429, 'throttled', UsherError],
])('a renewal that is refused with %i %s', async (status, code, kind) => {
  const { tab, web } = browser()
  const session = tab()
  await session.restore()
  await session.getToken({ reason: 'initial', signal })
  web.refusal = { status, code, retryAfter: '60' }

  const error = await Promise.resolve(session.getToken({ reason: 'expired', signal })).catch((cause: unknown) => cause)

  expect(error).toBeInstanceOf(kind)
  if (error instanceof UsherError) expect(error).toMatchObject({ code, retryable: true, retryAfterMs: 60_000 })
})

test('a renewal that ends after a log-out brings nobody back', async () => {
  const { tab } = browser()
  const session = tab()
  await session.restore()
  await session.getToken({ reason: 'initial', signal })
  const renewal = Promise.resolve(session.getToken({ reason: 'expired', signal })).catch((cause: unknown) => cause)

  await session.signOut()

  expect(await renewal).toBeInstanceOf(AuthError)
  expect(session.getSnapshot()).toMatchObject({ status: 'signed_out' })
})

test('nothing of a session is in any storage of the browser', async () => {
  const { tab } = browser()
  const session = tab()
  await session.restore()
  const token = await session.getToken({ reason: 'initial', signal })

  expect(token).toMatch(/^token-/)
  expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])).not.toContain('token-')
})
