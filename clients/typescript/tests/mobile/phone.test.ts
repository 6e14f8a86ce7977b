/** The core of clients/mobile/react-native, in Node, against the fake server. */
import { expect, test } from 'vitest'
import { Session } from '../../../mobile/react-native/session'
import { createUsher, phone } from '../../../mobile/react-native/usher'
import { memoryStore } from '../../src/index.js'
import { FakeServer } from '../../src/testing/index.js'

class Phone {
  currentState = 'active'
  readonly kept = new Map<string, string>()
  readonly #states = new Set<(state: string) => void>()
  readonly #networks = new Set<(state: { isConnected: boolean | null }) => void>()

  addEventListener(_: 'change', listener: (state: string) => void) {
    this.#states.add(listener)
    return { remove: () => void this.#states.delete(listener) }
  }
  readonly network = {
    addEventListener: (listener: (state: { isConnected: boolean | null }) => void) => {
      this.#networks.add(listener)
      return () => void this.#networks.delete(listener)
    },
  }
  readonly secrets = {
    getItemAsync: (key: string) => Promise.resolve(this.kept.get(key) ?? null),
    setItemAsync: (key: string, value: string) => Promise.resolve(void this.kept.set(key, value)),
    deleteItemAsync: (key: string) => Promise.resolve(void this.kept.delete(key)),
  }
  get listeners(): number {
    return this.#states.size + this.#networks.size
  }
  is(state: string): void {
    this.currentState = state
    this.#states.forEach((listener) => listener(state))
  }
  connect(isConnected: boolean): void {
    this.#networks.forEach((listener) => listener({ isConnected }))
  }
}

async function story() {
  const server = new FakeServer()
  const device = new Phone()
  const renewals: unknown[] = []
  let status = 200
  const fetcher = (async (address: string, init: RequestInit) => {
    if (!address.includes('/auth/')) return server.fetch(address, init)
    renewals.push(JSON.parse(String(init.body)))
    const pair = { access: server.mint(), refresh: `refresh-${renewals.length}`, expires_in: 300 }
    return new Response(JSON.stringify(pair), { status })
  }) as typeof fetch
  const session = new Session(server.url, device.secrets, fetcher, () => server.clock.now())
  await session.logIn('acme', 'alice', 'usher-demo')
  const identity = { tenant: server.tenant, user: server.user.id }
  const client = createUsher(server.url, session, phone(device, device.network), {
    ...server.parts,
    resume: memoryStore(),
    identity,
  })
  const names: string[] = []
  client.on('event', (event) => names.push(event.data.username))
  void client.connect()
  const pass = (ms = 0) => server.clock.advance(ms)
  await pass()
  return { server, device, client, names, renewals, pass, refuse: (with_: number) => (status = with_) }
}

test('the token is in the header, and in no message', async () => {
  const { server, client } = await story()

  expect(client.state.status).toBe('live')
  expect(server.sockets[0]!.headers).toEqual({ Authorization: 'Bearer token-1' })
  expect(server.sockets[0]!.sent).toEqual([])
})

test('in the background there is no socket, and in the foreground nothing is missing', async () => {
  const { server, device, client, names, renewals, pass } = await story()
  server.create({ username: 'dave' })
  await pass()
  device.is('inactive')
  expect(client.state.status).toBe('live')
  device.is('background')
  await pass()
  expect(server.open).toEqual([])
  server.create({ username: 'erin' })
  await pass(600_000)

  device.is('active')
  await pass()

  expect(names).toEqual(['dave', 'erin'])
  expect(renewals.slice(1)).toEqual([{ refresh: 'refresh-1' }])
})

test('the token is renewed on the open socket', async () => {
  const { server, device, pass } = await story()

  server.warn()
  await pass()

  expect(server.sockets).toHaveLength(1)
  expect(server.sockets[0]!.sent).toEqual([{ type: 'auth', token: 'token-2' }])
  expect([...device.kept.values()]).toEqual(['refresh-2'])
})

test('a handshake that is refused with 401 renews the token, once', async () => {
  const { server, client, renewals, pass } = await story()
  server.refuses = 401
  server.drop()
  await pass(60_000)

  expect(client.state).toMatchObject({ status: 'expired', error: { status: 401 } })
  expect(renewals).toHaveLength(2)
})

test('a session that has ended asks for a log-in, and its token is forgotten', async () => {
  const { server, device, client, pass, refuse } = await story()
  refuse(401)
  server.end(4102)
  await pass(60_000)

  expect(client.state).toMatchObject({ status: 'expired', error: { message: 'the session has ended' } })
  expect(device.kept.size).toBe(0)
})

test('a network that comes back is used at once', async () => {
  const { server, device, client, pass } = await story()
  device.connect(false)
  expect(client.state.status).toBe('offline')
  await pass(60_000)

  device.connect(true)
  await pass()

  expect(client.state.status).toBe('live')
  expect(server.sockets).toHaveLength(2)
})

test('close() leaves no listener behind', async () => {
  const { device, client } = await story()
  expect(device.listeners).toBe(2)

  client.close()

  expect(device.listeners).toBe(0)
})
