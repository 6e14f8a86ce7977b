/** Whatever a client is asked, and whenever. */
import { describe, expect, test } from 'vitest'
import { AuthError, createClient, UsherError, type GetToken } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'
import { live, story } from './story.js'

interface Question {
  readonly reason: string
  readonly signal: AbortSignal
  give(token: string): void
  fail(error: Error): void
}

/** Tokens that come when the test says so. */
function handed() {
  const asked: Question[] = []
  const getToken: GetToken = ({ reason, signal }) =>
    new Promise((give, fail) => asked.push({ reason, signal, give, fail }))
  return { asked, getToken }
}

describe('connect()', () => {
  test('begins again after close(), and resumes', async () => {
    const { server, client, pass, names } = await live()
    const dave = server.create({ username: 'dave' })
    await pass()
    client.close()
    server.create({ username: 'erin' })
    await pass(60_000)

    void client.connect()
    await pass()

    expect(client.state.status).toBe('live')
    expect(server.sockets[1]!.after).toBe(dave.id)
    expect(names()).toEqual(['dave', 'erin'])
  })

  test('right after close() opens one socket, with a token asked for anew', async () => {
    const { server, client, pass } = await live()

    client.close()
    void client.connect()
    await pass(1000)

    expect(client.state.status).toBe('live')
    expect(server.open).toHaveLength(1)
    expect(server.asked).toEqual(['initial', 'initial'])
  })

  test('twice at once opens one socket, and both are answered', async () => {
    const { server, client, pass } = story()
    const both = Promise.all([client.connect(), client.connect()])
    await pass()

    expect(await both).toEqual([client.viewer, client.viewer])
    expect(server.sockets).toHaveLength(1)
    expect(server.asked).toHaveLength(1)
  })

  test('while live is answered at once', async () => {
    const { client, server } = await live()

    expect(await client.connect()).toBe(client.viewer)
    expect(server.sockets).toHaveLength(1)
  })

  test('that is closed while it waits is rejected', async () => {
    const { client, pass } = story()
    const connected = client.connect()
    client.close()
    await pass()

    await expect(connected).rejects.toMatchObject({ code: 'closed', retryable: false })
  })

  test('that ends otherwise is rejected with the reason', async () => {
    const { server, client, pass } = story()
    server.mayWatch = false
    const connected = client.connect()
    await pass()

    await expect(connected).rejects.toMatchObject({ code: 'forbidden', status: 4403 })
  })

  test('that is not waited for rejects nothing unheard', async () => {
    const { server, client, pass } = story()
    server.isLoggedOut = true
    void client.connect() // an unhandled rejection would fail the run
    await pass()

    expect(client.state.status).toBe('expired')
  })

  test('is given up by a signal, with its reason, and closes', async () => {
    const { asked, getToken } = handed()
    const { server, client, pass } = story({ getToken })
    const abort = new AbortController()
    const connected = client.connect({ signal: abort.signal })
    await pass()

    abort.abort(new Error('enough'))
    await expect(connected).rejects.toThrow('enough')
    asked[0]!.give('late')
    await pass(60_000)

    expect(asked[0]!.signal.aborted).toBe(true)
    expect(client.state).toMatchObject({ status: 'closed' })
    expect(server.sockets).toEqual([])
    expect(server.clock.pending).toBe(0)
  })

  test('is not given up by a signal that comes when it is live', async () => {
    const { client, pass } = story()
    const abort = new AbortController()
    void client.connect({ signal: abort.signal })
    await pass()

    abort.abort()
    await pass()

    expect(client.state.status).toBe('live')
  })
})

describe('pause()', () => {
  test('while a token is awaited opens nothing', async () => {
    const { asked, getToken } = handed()
    const { server, client, pass } = story({ getToken })
    void client.connect()
    await pass()
    client.pause()
    asked[0]!.give('token')
    await pass(60_000)
    expect(client.state.status).toBe('paused')
    expect(server.sockets).toEqual([])

    client.resume()
    await pass()
    asked.at(-1)!.give(server.mint())
    await pass()

    expect(client.state.status).toBe('live')
  })

  test('while a socket opens lets it go', async () => {
    const { server, client, pass } = story()
    server.delayMs = 1000
    void client.connect()
    await pass(500)
    expect(server.sockets).toHaveLength(1)

    client.pause()
    await pass(60_000)

    expect(client.state.status).toBe('paused')
    expect(server.open).toEqual([])
    expect(server.clock.pending).toBe(0)
  })

  test('while it waits for an attempt waits no more', async () => {
    const { server, client, pass } = await live()
    server.drain(5000)
    await pass()
    client.pause()
    await pass(60_000)
    expect(server.sockets).toHaveLength(1)

    client.resume()
    await pass()

    expect(client.state.status).toBe('live')
  })

  test.each(['idle', 'closed'])('when %s does nothing', async (status) => {
    const { client } = story()
    if (status === 'closed') client.close()

    client.pause()

    expect(client.state.status).toBe(status)
  })
})

describe.each([
  ['close', 'closed'],
  ['pause', 'paused'],
] as const)('%s() from a listener', (call, end) => {
  const life = ['connecting', 'catching_up', 'live', 'reconnecting', 'reconnecting', 'catching_up', 'live']

  test.each(life.map((status, place) => ({ status, place })))('for state $place, $status', async ({ place }) => {
    const { server, client, pass, states, synced } = story()
    client.on('state', () => states.length === place + 1 && client[call]())
    const later: string[] = []
    client.on('state', ({ status }) => later.push(status))
    client.connect().catch(() => {})
    await pass()
    server.drop()
    await pass(1000)

    expect(states).toEqual([...life.slice(0, place + 1), end])
    expect(later, 'what is over is told to nobody').toEqual([...life.slice(0, place), end])
    expect(client.state.status).toBe(end)
    expect(server.open).toEqual([])
    expect(server.clock.pending).toBe(0)
    expect(synced).toHaveLength(place > 2 ? 1 : 0)
  })

  test('for a change of rights tells no more of it', async () => {
    const { server, client, pass } = await live()
    const told: unknown[] = []
    client.on('state', () => client.state.status === 'live' && client[call]())
    client.on('rights.changed', (rights) => told.push(rights))
    server.permit('watch_signups')
    await pass(60_000)

    expect(client.state.status).toBe(end)
    expect(told).toEqual([])
  })

  test('for a renewal that failed does not try it again', async () => {
    let asked = 0
    const server = new FakeServer()
    const getToken: GetToken = (ask) => (asked++ ? Promise.reject(new Error('away')) : server.getToken(ask))
    const { client, pass } = await live({ getToken }, server)
    client.on('error', () => client[call]())
    server.warn()
    await pass()

    expect(server.clock.pending).toBe(0)
    await pass(60_000)
    expect(client.state.status).toBe(end)
    expect(asked).toBe(2)
  })
})

test('connect() from a listener for the end begins anew', async () => {
  const { server, client, pass } = await live()
  const undo = client.on('state', ({ status }) => {
    if (status !== 'closed') return
    undo()
    void client.connect()
  })

  client.close()
  await pass()

  expect(client.state.status).toBe('live')
  expect(server.asked).toEqual(['initial', 'initial'])
})

describe('reconnectNow()', () => {
  test('when idle or closed does nothing', async () => {
    const { server, client, pass } = story()
    client.reconnectNow()
    await pass(1000)
    expect(client.state.status).toBe('idle')
    client.close()

    client.reconnectNow()
    await pass(1000)

    expect(client.state.status).toBe('closed')
    expect(server.sockets).toEqual([])
  })

  test('when live keeps the socket', async () => {
    const { server, client, pass } = await live()

    client.reconnectNow()
    await pass()

    expect(server.sockets).toHaveLength(1)
  })

  test('while connecting keeps the attempt', async () => {
    const { server, client, pass } = story()
    void client.connect()
    client.reconnectNow()
    await pass()

    expect(server.sockets).toHaveLength(1)
    expect(client.state.status).toBe('live')
  })

  test('while paused resumes', async () => {
    const { client, pass } = await live()
    client.pause()

    client.reconnectNow()
    await pass()

    expect(client.state.status).toBe('live')
  })

  test('after an end begins again, with a token asked for anew', async () => {
    const { server, client, pass } = await live()
    server.isLoggedOut = true
    server.expire()
    await pass()
    expect(client.state.status).toBe('expired')
    server.isLoggedOut = false

    client.reconnectNow()
    await pass()

    expect(client.state.status).toBe('live')
    expect(server.asked).toEqual(['initial', 'expired', 'initial'])
  })
})

describe('a token', () => {
  test('is asked for once, whoever wants one', async () => {
    const { asked, getToken } = handed()
    const { server, client, pass } = story({ getToken })
    void client.connect()
    const me = client.request('/me')
    await pass()
    expect(asked).toHaveLength(1)

    asked[0]!.give(server.mint())
    await pass()

    expect(await me).toMatchObject({ username: 'alice' })
    expect(client.state.status).toBe('live')
  })

  test('that comes for a client that was closed and began anew is not used', async () => {
    const { asked, getToken } = handed()
    const { server, client, pass } = story({ getToken })
    void client.connect()
    await pass()
    client.close()
    void client.connect()
    await pass()
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false])

    asked[0]!.give('old')
    await pass()
    expect(server.sockets).toEqual([])
    const me = client.request('/me')
    await pass()
    expect(asked).toHaveLength(2) // and no third at the same time
    asked[1]!.give(server.mint())
    await pass()

    expect(server.sockets.map((socket) => socket.sent[0]?.token)).toEqual(['token-1'])
    expect(await me).toMatchObject({ username: 'alice' })
  })

  test('that does not come in half a minute is asked for again', async () => {
    const { asked, getToken } = handed()
    const { server, client, pass } = story({ getToken })
    void client.connect()
    await pass(30_000)
    expect(client.state).toMatchObject({
      status: 'reconnecting',
      error: { code: 'no_token', message: 'getToken took too long' },
    })
    await pass(1000)
    asked[1]!.give(server.mint())
    await pass()

    expect(client.state.status).toBe('live')
  })

  test.each([undefined, '', 7])('that is none (%s) is the end', async (token) => {
    const { client, pass } = story({ getToken: (() => token) as unknown as GetToken })
    void client.connect()
    await pass(60_000)

    expect(client.state).toMatchObject({ status: 'expired', error: { code: 'expired' } })
  })

  test('that the renewal brings unchanged is tried once, and then it is the end', async () => {
    const server = new FakeServer()
    const token = server.mint()
    const { client, pass } = await live({ getToken: () => token }, server)

    server.expire()
    await pass(60_000)

    expect(client.state.status).toBe('expired')
    expect(server.sockets).toHaveLength(2)
  })

  test('that a request was given is not taken for a good one when the socket has to come back', async () => {
    const { server, client, pass } = await live()
    const reading = client.users.list()
    await pass()
    await reading

    server.expire() // as while a device sleeps: the socket's token and the request's are both too old
    await pass(1000)

    expect(client.state.status).toBe('live')
    expect(server.asked).toEqual(['initial', 'initial', 'expired'])
  })

  test('whose renewal a log-out ends, while the socket is open, is the end', async () => {
    const { server, client, pass } = await live()
    server.isLoggedOut = true

    server.warn()
    await pass()

    expect(client.state).toMatchObject({ status: 'expired', error: { message: 'logged out' } })
    expect(server.open).toEqual([])
  })
})

describe('stream()', () => {
  test('ends with the error that the client ends with', async () => {
    const { server, client, pass } = await live()
    const heard: string[] = []
    const reading = (async () => {
      for await (const event of client.stream()) heard.push(event.data.username)
    })()
    const failed = expect(reading).rejects.toMatchObject({ code: 'forbidden' })
    server.create({ username: 'dave' })
    await pass()

    server.revoke()
    await pass()

    await failed
    expect(heard).toEqual(['dave'])
  })

  test('ends quietly with its signal, and leaves nothing behind', async () => {
    const { server, client, pass } = await live()
    const abort = new AbortController()
    const heard: string[] = []
    const reading = (async () => {
      for await (const event of client.stream({ signal: abort.signal })) heard.push(event.data.username)
    })()
    server.create({ username: 'dave' })
    await pass()
    abort.abort()
    await reading

    server.create({ username: 'erin' })
    await pass()

    expect(heard).toEqual(['dave'])
  })

  test('can be left half-way', async () => {
    const { server, client, pass } = await live()
    const reading = (async () => {
      for await (const event of client.stream()) return event.data.username
      return undefined
    })()
    server.create({ username: 'dave' })
    server.create({ username: 'erin' })
    await pass()

    expect(await reading).toBe('dave')
  })

  test('yields a burst whole, however slow its reader is', async () => {
    const { server, client, pass } = await live()
    const heard: string[] = []
    const reading = (async () => {
      for await (const event of client.stream()) {
        heard.push(event.data.username)
        await new Promise<void>((resolve) => server.clock.setTimeout(resolve, 10))
      }
    })()
    const names = Array.from({ length: 100 }, (_, number) => `n${number}`)
    names.forEach((username) => server.create({ username }))
    await pass(2000)
    client.close()
    await pass(100)
    await reading

    expect(heard).toEqual(names)
  })
})

describe('request()', () => {
  const answering = (...answers: (() => Response)[]) => {
    const calls: { url: string; init: RequestInit }[] = []
    const fetcher = ((url: string, init: RequestInit) => {
      calls.push({ url, init })
      return Promise.resolve(answers.shift()!())
    }) as typeof fetch
    return { calls, fetcher }
  }
  const problem =
    (status: number, code: string, headers: Record<string, string> = {}) =>
    () =>
      new Response(JSON.stringify({ status, code, detail: 'in words', request_id: 'r1' }), { status, headers })
  const good = () => new Response('{"ok":true}')
  const bearer = (init: RequestInit): string | null => new Headers(init.headers).get('Authorization')

  test('renews the token once on 401, and asks again', async () => {
    const { calls, fetcher } = answering(problem(401, 'token_expired'), good)
    const { client, server } = story({ fetch: fetcher })

    expect(await client.request('/me')).toEqual({ ok: true })
    expect(calls.map(({ init }) => bearer(init))).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(server.asked).toEqual(['initial', 'expired'])
  })

  test('does not renew it twice', async () => {
    const { calls, fetcher } = answering(problem(401, 'token_expired'), problem(401, 'session_ended'))
    const { client } = story({ fetch: fetcher })

    await expect(client.request('/me')).rejects.toMatchObject({ code: 'session_ended', status: 401, retryable: false })
    expect(calls).toHaveLength(2)
  })

  test('says that nobody is logged in when that is so', async () => {
    const { client, server } = story()
    server.isLoggedOut = true

    const error = await client.request('/me').catch((error: unknown) => error)

    expect(error).toBeInstanceOf(UsherError)
    expect(error).toMatchObject({ code: 'expired', remedy: 'Log in again.', cause: new AuthError('logged out') })
  })

  test('turns a problem into an error that says all of it', async () => {
    const { fetcher } = answering(problem(429, 'throttled', { 'Retry-After': '7' }))
    const { client } = story({ fetch: fetcher })

    const error = await client.request('/me').catch((error: unknown) => error)

    expect(error).toBeInstanceOf(UsherError)
    expect(error).toMatchObject({
      code: 'throttled',
      message: 'in words',
      status: 429,
      requestId: 'r1',
      retryAfterMs: 7000,
      retryable: true,
    }) // prettier-ignore
  })

  test.each([
    [404, false],
    [409, false],
    [500, true],
    [503, true],
  ])('says of %i whether asking again can help: %s', async (status, retryable) => {
    const { fetcher } = answering(problem(status, 'such'))
    const { client } = story({ fetch: fetcher })

    await expect(client.request('/me')).rejects.toMatchObject({ status, retryable })
  })

  test.each(['<h1>502 Bad Gateway</h1>', '', 'null', '[]', '"no"'])(
    'is not confused by what is no problem: %s',
    async (body) => {
      const { fetcher } = answering(() => new Response(body, { status: 502 }))
      const { client } = story({ fetch: fetcher })

      await expect(client.request('/me')).rejects.toMatchObject({
        code: 'http_502',
        status: 502,
        retryable: true,
        requestId: undefined,
      })
    },
  )

  test('takes an answer that is no JSON for none', async () => {
    const { fetcher } = answering(() => new Response('<h1>a captive portal</h1>'))
    const { client } = story({ fetch: fetcher })

    await expect(client.request('/me')).rejects.toMatchObject({ code: 'http_200' })
  })

  test('returns nothing for an answer without a body', async () => {
    const { fetcher } = answering(() => new Response(null, { status: 204 }))
    const { client } = story({ fetch: fetcher })

    expect(await client.request('/auth/logout', { method: 'POST' })).toBeUndefined()
  })

  test('sends what it is given, without cookies, and the token in the header alone', async () => {
    const { calls, fetcher } = answering(good)
    const { client } = story({ fetch: fetcher })
    const body = { username: 'dave' }
    await client.request('/users', {
      method: 'POST',
      body,
      headers: { 'Idempotency-Key': 'k' },
      query: { a: 'x y', b: undefined, c: '' },
    }) // prettier-ignore

    const { url, init } = calls[0]!
    expect(url).toBe('https://usher.test/api/v1/users?a=x%20y')
    expect(init).toMatchObject({ method: 'POST', body: '{"username":"dave"}', credentials: 'omit', cache: 'no-store' })
    expect(Object.fromEntries(new Headers(init.headers))).toEqual({
      authorization: 'Bearer token-1',
      'content-type': 'application/json',
      'idempotency-key': 'k',
    }) // prettier-ignore
  })

  test('does not let a header replace the token', async () => {
    const { calls, fetcher } = answering(good)
    const { client } = story({ fetch: fetcher })
    await client.request('/me', { headers: { authorization: 'Bearer other' } })

    expect(bearer(calls[0]!.init)).toBe('Bearer token-1')
  })

  test('is given up by its signal, with its reason', async () => {
    const { client, server, pass } = story()
    server.delayMs = 1000
    const abort = new AbortController()
    const asked = client.request('/me', { signal: abort.signal })
    const failed = expect(asked).rejects.toBe('enough')
    await pass(10)

    abort.abort('enough')

    await failed
  })

  test('that nobody answers can be tried again', async () => {
    const { client, server, pass } = story()
    server.isDown = true
    const failed = expect(client.request('/me')).rejects.toMatchObject({ code: 'unreachable', retryable: true })
    await pass()

    await failed
  })
})

test('where there is no WebSocket, one is asked for', () => {
  const had = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket')
  Object.defineProperty(globalThis, 'WebSocket', { value: undefined, configurable: true, writable: true })
  try {
    expect(() => createClient({ url: 'https://usher.test', getToken: () => 'x' })).toThrow(
      new TypeError('there is no WebSocket here; pass one in, such as that of ws'),
    )
  } finally {
    if (had) Object.defineProperty(globalThis, 'WebSocket', had)
    else delete (globalThis as { WebSocket?: unknown }).WebSocket
  }
})

test('a page that was opened in the background is let go like one that was hidden later', async () => {
  let listener = (_: 'visible'): void => {}
  const surroundings = {
    isOnline: () => true,
    isHidden: () => true,
    listen: (call: (what: 'visible') => void) => ((listener = call), () => {}),
  }
  const { client, server, pass } = await live({ surroundings, pauseWhenHiddenFor: 60_000 })
  await pass(60_000)
  expect(client.state.status).toBe('paused')

  listener('visible')
  await pass()

  expect(client.state.status).toBe('live')
  expect(server.open).toHaveLength(1)
})
