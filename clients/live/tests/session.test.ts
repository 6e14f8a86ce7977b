/** One browser, one session: renewed once for all tabs, ended in all at once, and its tokens in memory alone. */
import { AuthError, UsherError } from '@usher/client'
import { FakeServer } from '@usher/client/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { Session } from '../src/session/session'
import { FakeTabs, FakeWeb } from './web'

const ALICE = { tenant: 'acme', username: 'alice', password: 'usher-demo' }
const signal = new AbortController().signal

afterEach(() => void vi.restoreAllMocks())

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

/** Something that waits until it is let through. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { passed, open }
}

test('a renewal that is refused late, in another tab, does not take the cookie of a new session', async () => {
  const { tab, web } = browser()
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()
  await other.getToken({ reason: 'initial', signal })
  const { passed, open } = gate()
  web.gate = passed
  web.isSignedIn = false
  const renewal = Promise.resolve(other.getToken({ reason: 'expired', signal })).catch((cause: unknown) => cause)
  await vi.waitFor(() => expect(refreshes(web)).toBe(3))

  const signingIn = one.signIn(ALICE)
  setTimeout(open)
  await Promise.all([signingIn, renewal])

  expect(web.isSignedIn).toBe(true)
})

test('a log-out waits for a renewal in another tab, and so ends what that has brought', async () => {
  const { tab, web } = browser()
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()
  await other.getToken({ reason: 'initial', signal })
  const { passed, open } = gate()
  web.gate = passed
  const renewal = Promise.resolve(other.getToken({ reason: 'expired', signal })).catch((cause: unknown) => cause)
  await vi.waitFor(() => expect(refreshes(web)).toBe(3))

  const signingOut = one.signOut()
  expect(one.getSnapshot()).toMatchObject({ status: 'signed_out' })
  await new Promise((resolve) => setTimeout(resolve))
  expect(web.calls).not.toContain('POST /auth/web/logout')
  open()
  await Promise.all([signingOut, renewal])

  expect(web.calls.at(-1)).toBe('POST /auth/web/logout')
})

test('other tabs hear of a new session even if nobody can say whose it is', async () => {
  const { tab, web } = browser(false)
  const [one, other] = [tab(), tab()]
  await one.restore()
  await other.restore()
  web.failing.set('/me', { status: 503, code: 'unavailable', detail: 'not now' })

  await expect(one.signIn(ALICE)).rejects.toMatchObject({ code: 'unavailable' })

  await vi.waitFor(() => expect(other.getSnapshot()).toMatchObject({ status: 'unreachable' }))
})

test('a log-out in another tab counts while this one is still finding out who is signed in', async () => {
  const { tab, web } = browser()
  const [one, other] = [tab(), tab()]
  await one.restore()
  const { passed, open } = gate()
  web.gate = passed
  const restoring = other.restore()

  const signingOut = one.signOut()
  await vi.waitFor(() => expect(other.getSnapshot()).toEqual({ status: 'signed_out', why: 'left_elsewhere' }))
  open()
  await Promise.all([restoring, signingOut])

  expect(other.getSnapshot()).toEqual({ status: 'signed_out', why: 'left_elsewhere' })
})

test('a session that ends between its renewal and the question whose it is has ended', async () => {
  const { tab, web } = browser()
  web.failing.set('/me', { status: 401, code: 'unauthenticated', detail: 'log in' })
  const session = tab()

  await session.restore()

  expect(session.getSnapshot()).toEqual({ status: 'signed_out', why: 'nobody' })
})

test('a renewal whose answer is lost is asked for once more, and every call is given up in the end', async () => {
  const patience: number[] = []
  const giveUp: (() => void)[] = []
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController()
    patience.push(ms)
    giveUp.push(() => controller.abort(new DOMException('too late', 'TimeoutError')))
    return controller.signal
  })
  const silent = (async (_: string, { signal }: RequestInit) => {
    await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
  }) as unknown as typeof fetch
  const tabs = new FakeTabs()
  const session = new Session({ origin: 'https://usher.test', fetch: silent, tabs: tabs.open(), now: Date.now })

  const restoring = session.restore()
  await vi.waitFor(() => expect(patience).toEqual([4_000]))
  giveUp[0]!()
  await vi.waitFor(() => expect(patience).toEqual([4_000, 15_000]))
  giveUp[1]!()
  await restoring

  expect(session.getSnapshot()).toMatchObject({ status: 'unreachable', error: { code: 'unreachable' } })
})
