/** What other clients lose, ours does not: each of these was seen to fail in a leading SDK. */
import { expect, test } from 'vitest'
import { AuthError, UsherError, type GetToken, type UsherClient } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'
import { live, story } from './story.js'

test('listeners are still there after a reconnect', async () => {
  const { server, pass, names } = await live()
  server.create({ username: 'dave' })
  await pass()

  server.drop()
  await pass(1000)
  server.create({ username: 'erin' })
  await pass()

  expect(server.sockets).toHaveLength(2)
  expect(names()).toEqual(['dave', 'erin'])
})

test('what happened while there was no socket comes with the reconnect', async () => {
  const { server, client, pass, names, synced } = await live()
  server.create({ username: 'dave' })
  await pass()

  server.drop()
  await pass()
  server.create({ username: 'erin' })
  await pass(1000)

  expect(names()).toEqual(['dave', 'erin'])
  expect(synced.map(({ complete, reload }) => [complete, reload])).toEqual([
    [true, true],
    [true, false],
  ])
  expect(client.state).toMatchObject({ status: 'live', complete: true })
})

test('a gap that cannot be replayed is told, and not hidden', async () => {
  const { server, client, pass, synced } = await live()
  server.create()
  await pass()

  server.log.events.length = 0
  server.drop()
  await pass(1000)

  expect(synced.at(-1)).toEqual({ complete: false, reason: 'unknown_cursor', reload: true })
  expect(client.state).toMatchObject({ status: 'live', complete: false })
})

test('close() closes: nothing is tried again', async () => {
  const { server, client, pass } = await live()

  client.close()
  await pass(600_000)

  expect(client.state.status).toBe('closed')
  expect(server.open).toEqual([])
  expect(server.sockets).toHaveLength(1)
  expect(server.clock.pending).toBe(0)
})

const ends: [string, (client: UsherClient, server: FakeServer) => void, number][] = [
  ['close()', (client) => client.close(), 0],
  ['pause()', (client) => client.pause(), 0],
  ['a line that broke', (_, server) => server.drop(), 1], // the next attempt
]

test.each(ends)('after %s no renewal of the old socket is tried again', async (_, end, timers) => {
  let isAway = false
  const server = new FakeServer()
  const getToken: GetToken = (ask) => (isAway ? Promise.reject(new Error('away')) : server.getToken(ask))
  const { client, pass } = await live({ getToken }, server)
  isAway = true
  server.warn()
  server.warn()
  await pass()

  end(client, server)
  await pass()

  expect(server.clock.pending).toBe(timers)
})

test('close() while a token is awaited opens nothing later', async () => {
  let give = (_: string): void => {}
  const { server, client, pass } = await live({ getToken: () => new Promise((resolve) => (give = resolve)) })

  client.close()
  give(server.mint())
  await pass(60_000)

  expect(server.sockets).toEqual([])
  expect(client.state.status).toBe('closed')
})

test('it never gives up while there is hope', async () => {
  const { server, client, pass, names } = await live()
  server.isDown = true
  server.drop()
  await pass(3_600_000)
  expect(client.state).toMatchObject({ status: 'reconnecting' })

  server.isDown = false
  server.create({ username: 'dave' })
  await pass(31_000)

  expect(client.state.status).toBe('live')
  server.create({ username: 'erin' })
  await pass()
  expect(names()).toEqual(['erin']) // there was no place to resume from; `reload` was true
})

test('a token that has expired is not used again', async () => {
  const { server, pass, client } = await live()

  server.expire()
  await pass()

  expect(client.state.status).toBe('live')
  expect(server.asked).toEqual(['initial', 'expired'])
  expect(server.sockets.map((socket) => socket.sent[0]?.token)).toEqual(['token-1', 'token-2'])
})

test('a final refusal is final: no storm', async () => {
  const { server, client, pass } = await live()

  server.revoke()
  await pass(3_600_000)

  expect(client.state).toMatchObject({
    status: 'forbidden',
    error: { code: 'forbidden', retryable: false, status: 4403 },
  })
  expect(server.sockets).toHaveLength(1)
})

test.each([4400, 4408, 4413, 4499])('so is %i', async (code) => {
  const { server, client, pass } = await live()

  server.end(code, 'no')
  await pass(3_600_000)

  expect(client.state).toMatchObject({ status: 'closed', error: { code: `closed_${code}`, message: 'no' } })
  expect(server.sockets).toHaveLength(1)
})

test('a token that does not help is renewed once, and not for ever', async () => {
  const { server, client, pass } = await live()
  const { getToken } = server

  server.expire()
  server.isGood = () => false
  await pass(3_600_000)

  expect(client.state).toMatchObject({ status: 'expired' })
  expect(server.sockets).toHaveLength(2)
  expect(getToken).toBe(server.getToken)
})

test('no token to be had is the end', async () => {
  const { server, client, pass } = await live()

  server.isLoggedOut = true
  server.end(4102, 'session ended; log in again')
  await pass(3_600_000)

  expect(client.state).toMatchObject({ status: 'expired', error: { code: 'expired', message: 'logged out' } })
  expect(server.asked).toEqual(['initial', 'rejected'])
})

test('getToken that says how long to wait is not asked before', async () => {
  const suspended = new UsherError('tenant_suspended', 'tenant suspended', 'Wait.', {
    retryable: true,
    retryAfterMs: 60_000,
  })
  const asked: string[] = []
  const told = story({
    getToken: ({ reason }) => {
      asked.push(reason)
      throw suspended
    },
  })
  void told.client.connect()
  await told.pass(59_000)
  expect(asked).toHaveLength(1)

  await told.pass(2_000)

  expect(asked).toHaveLength(2)
  expect(told.client.state).toMatchObject({ status: 'reconnecting', error: suspended })
})

test('getToken that fails is tried again', async () => {
  let failures = 3
  const told = await live({
    getToken: () => {
      if (failures-- > 0) throw new Error('the network was away')
      return told.server.mint()
    },
  })

  await told.pass(10_000)

  expect(told.client.state.status).toBe('live')
})

test('an event that comes again is told once', async () => {
  const { server, pass, names } = await live()
  server.create({ username: 'dave' })
  await pass()

  server.repeat()
  server.create({ username: 'erin' })
  await pass()

  expect(names()).toEqual(['dave', 'erin'])
})

test('two that arrive in the wrong order are both told', async () => {
  const { server, pass, names } = await live()

  server.reorder()
  server.create({ username: 'dave' })
  server.create({ username: 'erin' })
  await pass()

  expect(names()).toEqual(['erin', 'dave'])
})

test('nothing is told of a socket that was let go', async () => {
  const { server, client, pass, names } = await live()
  server.delayMs = 100
  server.create({ username: 'dave' })

  client.pause()
  client.resume()
  await pass(1000)

  expect(server.open).toHaveLength(1)
  expect(names()).toEqual([]) // it came to the old socket; the new one had no place, and said reload
})

test('AuthError at the beginning rejects connect()', async () => {
  const told = await live({
    getToken: () => {
      throw new AuthError('nobody is logged in')
    },
  })

  await expect(told.client.connect({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  expect(told.client.state).toMatchObject({ status: 'expired', error: { message: 'nobody is logged in' } })
})
