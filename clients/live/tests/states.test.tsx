/** Every state of the connection and of the list, reached as it comes about, and what is seen of it. */
import { act, screen } from '@testing-library/react'
import { FakeServer } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { said, story } from './story'
import type { FakeWeb } from './web'

const withDave = (): FakeServer => {
  const server = new FakeServer()
  server.create({ username: 'dave', full_name: 'Dave Diver', email: 'dave@mail.test' })
  return server
}

test('the list comes first, and what is live on top of it', async () => {
  const { server, pass, names, pill } = await story({ server: withDave() })
  expect(pill()).toBe('Live')

  server.create({ username: 'erin' })
  await pass()

  expect(names()).toEqual(['erin', 'Dave Diver'])
  expect(screen.getByText('dave@mail.test')).toBeTruthy()
})

test('a first connection that takes long is said to connect', async () => {
  const server = withDave()
  server.delayMs = 3_000
  const { pass, pill } = await story({ server })
  await pass(3_000)
  expect(pill()).toBe('…')

  await pass(1_500)
  expect(pill()).toBe('Connecting')
  await pass(9_000)

  expect(pill()).toBe('Live')
})

test('a broken connection is told of in words once it lasts, with when it is tried again, and rows stay', async () => {
  const { server, pass, pill, names, text, user } = await story({ server: withDave() })
  server.isDown = true
  server.drop()
  await pass(1_000)
  expect(pill()).toBe('Live')
  expect(screen.queryByText(/connection was lost/)).toBeNull()

  await pass(2_000)
  expect(pill()).toBe('Reconnecting')
  expect(text()).toMatch(/The connection was lost. Trying again/)
  expect(names()).toEqual(['Dave Diver'])

  server.isDown = false
  server.create({ username: 'erin' })
  await user.click(screen.getByRole('button', { name: 'Retry now' }))
  await pass()

  expect(pill()).toBe('Live')
  expect(names()).toEqual(['erin', 'Dave Diver'])
  expect(text()).not.toMatch(/connection was lost/)
})

test('a suspended tenant is told of at once, everywhere in the same words, with how long it waits', async () => {
  const { server, pass, text, pill, user } = await story({ server: withDave() })
  server.end(4204, 'tenant suspended; try again later', 60_000)
  await pass()

  expect(pill()).toBe('Reconnecting')
  expect(text()).toMatch(/Your organisation is suspended. Trying again in \d\d s/)
  await user.click(screen.getByRole('button', { name: 'Connection: Reconnecting' }))
  expect(screen.getByRole('dialog').textContent).toMatch(/Your organisation is suspended. What you miss meanwhile/)
  expect(text()).not.toMatch(/connection was lost/)
})

test('a token that was asked for too often is no lost connection', async () => {
  const { server, web, pass, text } = await story({ server: withDave() })
  web.refusal = { status: 429, code: 'throttled', retryAfter: '60' }
  server.expire()
  await pass()

  expect(text()).toMatch(/Too much came from here in a short time. Trying again in \d\d s/)
})

test('the seconds until the next attempt are counted down', async () => {
  const { server, pass } = await story()
  server.end(4203, 'full', 10_000)
  await pass(2_500)
  const before = Number(/in (\d+) s/.exec(document.body.textContent ?? '')?.[1])

  await pass(3_000)

  expect(Number(/in (\d+) s/.exec(document.body.textContent ?? '')?.[1])).toBe(before - 3)
})

test('without a network it says so, and catches up', async () => {
  const { server, pass, pill, names, text } = await story({ server: withDave() })
  Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })
  act(() => void dispatchEvent(new Event('offline')))
  await pass()
  expect(pill()).toBe('Offline')
  expect(text()).toMatch(/You are offline. We catch up when you are back./)
  server.create({ username: 'erin' })

  Object.defineProperty(navigator, 'onLine', { value: true, configurable: true })
  act(() => void dispatchEvent(new Event('online')))
  await pass()

  expect(names()).toEqual(['erin', 'Dave Diver'])
})

test('it can be paused and resumed', async () => {
  const { server, pass, pill, names, user } = await story()
  await user.click(screen.getByRole('button', { name: 'Connection: Live' }))
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  await pass()
  expect(pill()).toBe('Paused')
  server.create({ username: 'erin' })

  await user.keyboard('{Escape}')
  await user.click(screen.getByRole('button', { name: 'Resume' }))
  await pass()

  expect(names()).toEqual(['erin'])
})

test('an ended session hides what is personal until somebody has signed in again', async () => {
  const { server, web, pass, pill, names, text, user } = await story({ server: withDave() })
  web.isSignedIn = false
  server.expire()
  await pass()
  expect(pill()).toBe('Signed out')
  expect(text()).not.toMatch(/dave/i)
  expect(screen.getByRole('alert').textContent).toMatch(/The session of alice at acme has ended/)

  await user.type(screen.getByLabelText('Password'), 'usher-demo')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  await pass()

  expect(pill()).toBe('Live')
  expect(names()).toEqual(['Dave Diver'])
})

test('a viewer who may not watch any more sees nothing, and nothing is tried again', async () => {
  const { server, pass, pill, text } = await story({ server: withDave() })
  server.revoke()
  await pass()
  expect(pill()).toBe('No access')
  expect(screen.getByRole('alert').textContent).toMatch(/You may not see these sign-ups/)
  expect(text()).not.toMatch(/dave/i)

  const { length } = server.sockets
  await pass(3_600_000)

  expect(server.sockets).toHaveLength(length)
})

test('an end for good is told of, and can be tried again', async () => {
  const { server, pass, pill, text, user } = await story()
  server.end(4413, 'message too large')
  await pass()
  expect(pill()).toBe('Stopped')
  expect(text()).toMatch(/The server has ended the connection. Message too large./)
  expect(said()).toContain('The connection has ended.')

  await user.click(screen.getByRole('button', { name: 'Try again' }))
  await pass()

  expect(pill()).toBe('Live')
})

test('a gap that could not be replayed is told of', async () => {
  const { server, pass, text, names } = await story({ server: withDave() })
  server.create({ username: 'erin' })
  await pass()
  server.drop()
  server.log.events.splice(0) // as when the log does not go back that far any more
  server.create({ username: 'frank' })
  await pass(1_000)

  expect(text()).toMatch(/Not everything that was missed could be replayed/)
  expect(names()).toEqual(['frank'])
})

test('nobody yet, and nobody found, are not the same', async () => {
  const { server, pass, text, user } = await story()
  expect(screen.getByText('No sign-ups yet')).toBeTruthy()
  server.create({ username: 'dave' })
  await pass()

  await user.type(screen.getByRole('searchbox'), 'zzz')
  await pass(300)
  expect(screen.getByText('Nobody matches')).toBeTruthy()
  expect(location.search).toBe('?q=zzz')

  await user.click(screen.getByRole('button', { name: 'Clear filters' }))
  await pass()

  expect(text()).toMatch(/dave/)
})

test('a list that cannot be read says so with the id of the request', async () => {
  const fail = { status: 400, code: 'bad_filter', detail: 'The filter is none.' }
  const { web, pass, names, user } = await story({
    server: withDave(),
    setUp: (web) => web.failing.set('/users', fail),
  })
  expect(screen.getByText('The list could not be read')).toBeTruthy()
  expect(screen.getByText('Request r-1234')).toBeTruthy()

  web.failing.clear()
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  await pass()

  expect(names()).toEqual(['Dave Diver'])
})

test('a server that does not answer at first can be asked again', async () => {
  const server = withDave()
  server.isDown = true
  const { session, pass, names } = await story({ server })
  expect(screen.getByText('The server does not answer')).toBeTruthy()

  server.isDown = false
  act(() => void session.restore())
  await pass()

  expect(names()).toEqual(['Dave Diver'])
})

test('a suspended tenant is named as that on the way in', async () => {
  const refusal = { status: 503, code: 'tenant_suspended', retryAfter: '60' }
  await story({ setUp: (web) => (web.refusal = refusal) })

  expect(screen.getByRole('heading').textContent).toBe('Your organisation is suspended')
})

test('who hears the page is told that it is live again when it is, and not before', async () => {
  const { server, pass, user } = await story({ server: withDave() })
  await user.click(screen.getByRole('button', { name: 'Connection: Live' }))
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  await user.keyboard('{Escape}')
  await pass(6_000)
  expect(said()).toContain('Paused.')

  server.isDown = true
  await user.click(screen.getByRole('button', { name: 'Resume' }))
  await pass()
  await pass(4_000)
  expect(said()).toContain('Paused.')
  await pass(6_000)
  await pass(6_000)
  expect(said()).toContain('The connection was lost. Trying again.')

  server.isDown = false
  await pass(60_000)
  await pass(6_000)
  expect(said()).toContain('Connection: live again.')
})

test.each([
  ['expired', (server: FakeServer, web: FakeWeb) => ((web.isSignedIn = false), server.expire())],
  ['forbidden', (server: FakeServer) => server.revoke()],
] as const)('an end is not announced as a connection that is live again: %s', async (status, end) => {
  const { server, web, pass, pill } = await story({ server: withDave() })
  server.isDown = true
  server.drop()
  await pass()
  await pass(5_500)
  await pass()
  expect(said()).toContain('The connection was lost. Trying again.')

  end(server, web)
  server.isDown = false
  await pass(60_000)
  await pass(6_000)

  expect(pill()).toBe(status === 'expired' ? 'Signed out' : 'No access')
  expect(document.body.textContent).not.toContain('live again')
})

test('a connection as somebody else than the one whose page this is begins anew as that one', async () => {
  const bob = { id: '01900000-0000-7000-8000-0000000000b0', username: 'bob', role: null }
  const { pass } = await story({
    setUp: (web) => (web.mistakenFor = { ...bob, tenant: { slug: 'acme', name: 'acme' } }),
  })
  await pass()

  expect(screen.getByRole('button', { name: 'alice: your menu' })).toBeTruthy()
})
