/** Heartbeat, renewal, waits, the device's network, hidden pages. */
import { describe, expect, test } from 'vitest'
import { memoryStore, type Happening, type Surroundings } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'
import { live, story } from './story.js'

class Device implements Surroundings {
  online = true
  hidden = false
  listeners = new Set<(what: Happening) => void>()

  isOnline = (): boolean => this.online
  isHidden = (): boolean => this.hidden
  listen = (call: (what: Happening) => void): (() => void) => {
    this.listeners.add(call)
    return () => this.listeners.delete(call)
  }
  happen(what: Happening): void {
    if (what === 'online' || what === 'offline') this.online = what === 'online'
    if (what === 'hidden' || what === 'visible') this.hidden = what === 'hidden'
    this.listeners.forEach((listener) => listener(what))
  }
}

test('the states of a good life, in order', async () => {
  const { client, server, pass, states } = await live()
  server.drop()
  await pass(1000)
  client.close()

  expect(states).toEqual([
    'connecting',
    'catching_up',
    'live',
    'reconnecting',
    'reconnecting',
    'catching_up',
    'live',
    'closed',
  ]) // prettier-ignore
})

test('pings are answered', async () => {
  const { server, pass } = await live()

  server.sockets[0]!.push({ type: 'ping' })
  await pass()

  expect(server.sockets[0]!.sent.at(-1)).toEqual({ type: 'pong' })
})

test('a line on which nothing comes is dead after two heartbeats and the time for an answer', async () => {
  const { server, client, pass } = await live()
  server.mute()

  await pass(59_999)
  expect(server.sockets).toHaveLength(1)
  await pass(1001)

  expect(client.state.status).toBe('live')
  expect(server.sockets).toHaveLength(2)
})

test('a handshake that nobody answers is given up after ten seconds', async () => {
  const { server, client, pass } = story()
  server.delayMs = 1e9
  void client.connect()

  await pass(10_000)

  expect(client.state).toMatchObject({ status: 'reconnecting', error: { message: 'nothing came for 10 s' } })
})

test('a goodbye whose close frame is lost is an end all the same', async () => {
  const { server, client, pass } = await live()
  server.sockets[0]!.push({ type: 'goodbye', code: 4403, reason: 'no', reconnect: false, retry_after_ms: 0 })

  await pass(3000)

  expect(client.state).toMatchObject({ status: 'forbidden', error: { message: 'no' } })
})

test('a proxy that puts its own code in place of ours does not hide what was said', async () => {
  const { server, client, pass } = await live()
  server.sockets[0]!.push({ type: 'goodbye', code: 4102, reason: 'session ended', reconnect: true, retry_after_ms: 0 })
  server.sockets[0]!.end(1006)

  await pass()

  expect(server.asked).toEqual(['initial', 'rejected'])
  expect(client.state.status).toBe('live')
})

test('the token of the open socket is renewed in place', async () => {
  const { server, pass, client } = await live()

  server.warn()
  await pass()

  expect(server.sockets).toHaveLength(1)
  expect(server.sockets[0]!.token).toBe('token-2')
  expect(server.asked).toEqual(['initial', 'expiring'])
  expect(client.state.status).toBe('live')
})

test('a renewal that fails is tried again while the socket lasts', async () => {
  let fails = false
  const server = new FakeServer()
  const { pass, errors } = await live(
    { getToken: (ask) => (fails ? Promise.reject(new Error('away')) : server.getToken(ask)) },
    server,
  )
  fails = true
  server.warn()
  await pass()
  expect(errors.map(({ code }) => code)).toEqual(['no_token'])

  fails = false
  await pass(2000)

  expect(server.sockets[0]!.token).toBe('token-2')
})

test('a server that goes away is given the time it asks for', async () => {
  const { server, client, pass } = await live()
  server.drain(5000)
  await pass()

  expect(client.state).toMatchObject({ status: 'reconnecting', retryAt: server.clock.now() + 5000 + 250 })
  await pass(5249)
  expect(server.sockets).toHaveLength(1)
  await pass(1)
  expect(client.state.status).toBe('live')
})

test('42xx without a time waits five seconds at least', async () => {
  const { server, client, pass } = await live()
  server.open[0]!.end(4299, 'something new')
  await pass()

  expect(client.state).toMatchObject({ status: 'reconnecting', retryAt: server.clock.now() + 5250 })
})

test('back-off grows until a connection has been live for half a minute', async () => {
  const { server, client, pass } = await live()
  const waits: number[] = []
  const lose = async (livedMs: number): Promise<void> => {
    await pass(livedMs)
    server.drop()
    await pass()
    if (client.state.status !== 'reconnecting' || !client.state.retryAt) throw new Error(client.state.status)
    waits.push(client.state.retryAt - server.clock.now())
    await pass(60_000 - livedMs > 40_000 ? waits.at(-1)! : waits.at(-1)!)
  }

  for (const livedMs of [0, 0, 0, 29_999, 30_000]) await lose(livedMs)

  expect(waits).toEqual([250, 500, 1000, 2000, 250])
})

test('reconnectNow does not wait', async () => {
  const { server, client, pass } = await live()
  server.drain(60_000)
  await pass()

  client.reconnectNow()
  await pass()

  expect(client.state.status).toBe('live')
  expect(server.open).toHaveLength(1)
})

test('offline is said, and left at once', async () => {
  const device = new Device()
  const { server, client, pass, names } = await live({ surroundings: device })
  server.create({ username: 'dave' })
  await pass()
  device.happen('offline')
  expect(client.state.status).toBe('offline')
  server.create({ username: 'erin' })
  await pass(3_600_000)
  expect(server.sockets).toHaveLength(1)

  device.happen('online')
  await pass()

  expect(client.state.status).toBe('live')
  expect(names()).toEqual(['dave', 'erin'])
})

describe('a hidden page', () => {
  test('keeps its socket for a while, then lets it go, and resumes when looked at', async () => {
    const device = new Device()
    const { server, client, pass, names } = await live({ surroundings: device, pauseWhenHiddenFor: 60_000 })
    server.create({ username: 'dave' })
    device.happen('hidden')
    await pass(59_999)
    expect(client.state.status).toBe('live')
    await pass(1)
    expect(client.state.status).toBe('paused')
    server.create({ username: 'erin' })

    device.happen('visible')
    await pass()

    expect(client.state.status).toBe('live')
    expect(names()).toEqual(['dave', 'erin'])
  })

  test('that is soon looked at again notices nothing', async () => {
    const device = new Device()
    const { server, client, pass } = await live({ surroundings: device })
    device.happen('hidden')
    await pass(299_000)
    device.happen('visible')
    await pass(299_000)

    expect(client.state.status).toBe('live')
    expect(server.open).toHaveLength(1)
  })

  test('in the back/forward cache has no socket, and has one again when it comes back', async () => {
    const device = new Device()
    const { server, client, pass } = await live({ surroundings: device })
    device.happen('frozen')
    expect(server.open).toEqual([])

    device.happen('thawed')
    await pass()

    expect(client.state.status).toBe('live')
  })

  test('that the user has paused stays so', async () => {
    const device = new Device()
    const { client, pass } = await live({ surroundings: device })
    client.pause()
    device.happen('hidden')
    device.happen('visible')
    await pass()
    expect(client.state.status).toBe('paused')

    client.resume()
    await pass()

    expect(client.state.status).toBe('live')
  })
})

describe('a place that is kept', () => {
  const kept = memoryStore()
  const server = new FakeServer()
  const identity = { tenant: server.tenant, user: server.user.id }

  test('is resumed from by the next client of the same viewer', async () => {
    const first = await live({ resume: kept, identity }, server)
    const dave = server.create({ username: 'dave' })
    await first.pass()
    first.client.close()
    server.create({ username: 'erin' })

    const second = await live({ resume: kept, identity }, server)

    expect(server.sockets.at(-1)!.after).toBe(dave.id)
    expect(second.names()).toEqual(['erin'])
  })

  test("is no other viewer's", async () => {
    const other = await live({ resume: kept, identity: { ...identity, user: 'somebody else' } }, server)

    expect(server.sockets.at(-1)!.after).toBeNull()
    expect(other.client.state).toMatchObject({ status: 'closed', error: { code: 'identity_changed' } })
  })

  test('is forgotten when it has proved useless', async () => {
    server.log.events.length = 0
    const told = await live({ resume: kept, identity }, server)

    expect(told.synced).toEqual([{ complete: false, reason: 'unknown_cursor', reload: true }])
    const third = await live({ resume: kept, identity }, server)
    expect(server.sockets.at(-1)!.after).toBeNull()
    expect(third.client.state.status).toBe('live')
  })

  test('in a store that fails costs nothing but the place', async () => {
    const fail = (): never => {
      throw new Error('full')
    }
    const told = await live({ resume: { get: fail, set: fail, delete: fail }, identity }, server)
    server.create({ username: 'frank' })
    await told.pass()

    expect(told.names()).toEqual(['frank'])
    expect(told.errors.map(({ code }) => code)).toEqual(['store_failed', 'store_failed'])
  })
})

test('a listener that throws harms no other one', async () => {
  const { server, client, pass, errors } = await live()
  client.on('event', () => {
    throw new Error('mine')
  })
  const heard: string[] = []
  client.on('event', (event) => heard.push(event.data.username))
  server.create({ username: 'dave' })
  await pass()

  expect(heard).toEqual(['dave'])
  expect(errors).toMatchObject([{ code: 'listener_failed', message: 'Error: mine' }])
})

test('stream yields what comes, and ends with the client', async () => {
  const { server, client, pass } = await live()
  const heard: string[] = []
  const reading = (async () => {
    for await (const event of client.stream()) heard.push(event.data.username)
  })()
  server.create({ username: 'dave' })
  server.create({ username: 'erin' })
  await pass()
  client.close()

  await reading
  expect(heard).toEqual(['dave', 'erin'])
})

test('connect resolves when live, with who the server says we are', async () => {
  const { client, server, pass } = story()
  const connected = client.connect()
  await pass()

  expect((await connected).user).toEqual(server.user)
})

test.each([
  [{ url: 'usher.example.com' }, 'url is "usher.example.com"; expected an origin such as https://usher.example.com'],
  [{ url: 'https://a/b' }, 'url is "https://a/b"; expected an origin such as https://usher.example.com'],
  [{ getToken: undefined }, 'getToken is undefined; expected a function'],
  [{ resume: 'session' }, 'resume needs identity'],
])('options that cannot work are named: %j', (options, message) => {
  expect(() => story(options as never)).toThrow(message)
})
