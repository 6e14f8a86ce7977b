/** The core of clients/mobile/react-native, in Node, against the fake server. */
import { expect, test } from 'vitest'
import { setting } from './setting.js'

async function story({ state = 'active' } = {}) {
  const { server, device, create, logIn, renewals, refuse } = setting()
  device.currentState = state
  await logIn()
  const client = create()
  const names: string[] = []
  client.on('event', (event) => names.push(event.data.username))
  void client.connect()
  const pass = (ms = 0) => server.clock.advance(ms)
  await pass()
  return { server, device, client, names, renewals, pass, refuse }
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

test('a client that begins in the background has no socket until somebody looks, and then keeps it', async () => {
  const { server, device, client, pass } = await story({ state: 'background' })
  await pass(60_000)
  expect(client.state.status).toBe('paused')
  expect(server.sockets).toEqual([])

  const states: string[] = []
  client.on('state', ({ status }) => states.push(status))
  device.is('active')
  await pass(600_000)

  expect(states.slice(0, 3)).toEqual(['connecting', 'catching_up', 'live'])
  expect(states).not.toContain('paused')
})

test('a client that is closed as it begins in the background stays closed', async () => {
  const { device, create, logIn, server } = setting()
  device.currentState = 'background'
  await logIn()
  const client = create()
  void client.connect()
  client.close()
  await server.clock.advance(0)

  expect(client.state.status).toBe('closed')
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
