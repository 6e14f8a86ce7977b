// @vitest-environment happy-dom
import { act, cleanup, render } from '@testing-library/react'
import { StrictMode, useState } from 'react'
import { afterEach, expect, test } from 'vitest'
import { createClient, type UsherClient } from '../src/index.js'
import { useConnection, useNotificationEvent, useNotifications, UsherProvider } from '../src/react/index.js'
import { FakeServer } from '../src/testing/index.js'

afterEach(cleanup)

function setting() {
  const server = new FakeServer()
  const client = createClient({ url: server.url, getToken: server.getToken, ...server.parts })
  const pass = (ms = 20): Promise<void> => act(() => server.clock.advance(ms))
  return { server, client, pass }
}

function Page({ server, heard = [] }: { server: FakeServer; heard?: string[] }) {
  const { status } = useConnection()
  const { users } = useNotifications(server.parts)
  useNotificationEvent('event', (event) => heard.push(event.data.username))
  return <p>{`${status}: ${users.map((user) => user.username).join(' ')}`}</p>
}

const mounted = (client: UsherClient, server: FakeServer, heard: string[] = []) =>
  render(
    <StrictMode>
      <UsherProvider client={client}>
        <Page server={server} heard={heard} />
      </UsherProvider>
    </StrictMode>,
  )

test('StrictMode opens one socket', async () => {
  const { server, client, pass } = setting()
  const { container } = mounted(client, server)
  await pass()
  server.create({ username: 'dave' })
  await pass()

  expect(container.textContent).toBe('live: dave')
  expect(server.sockets).toHaveLength(1)
})

test('no event of a burst is lost', async () => {
  const { server, client, pass } = setting()
  const heard: string[] = []
  const { container } = mounted(client, server, heard)
  await pass()
  const names = Array.from({ length: 300 }, (_, number) => `n${number}`)
  names.forEach((username) => server.create({ username }))
  await pass(100)

  expect(heard).toEqual(names)
  expect(container.textContent).toBe(`live: ${[...names].reverse().join(' ')}`)
})

test('unmounting closes, and leaves nothing running', async () => {
  const { server, client, pass } = setting()
  const { unmount } = mounted(client, server)
  await pass()

  unmount()
  await pass()

  expect(client.state.status).toBe('closed')
  expect(server.open).toEqual([])
  expect(server.clock.pending).toBe(0)
})

test('two providers of one client share its socket, and the last one closes it', async () => {
  const { server, client, pass } = setting()
  const one = mounted(client, server)
  const two = mounted(client, server)
  await pass()
  expect(server.open).toHaveLength(1)

  one.unmount()
  await pass()
  expect(client.state.status).toBe('live')
  two.unmount()
  await pass()

  expect(client.state.status).toBe('closed')
})

test('nothing is opened until it is enabled', async () => {
  const { server, client, pass } = setting()
  let enable = (): void => {}
  function App() {
    const [isEnabled, setEnabled] = useState(false)
    enable = () => setEnabled(true)
    return (
      <UsherProvider client={client} enabled={isEnabled}>
        <Page server={server} />
      </UsherProvider>
    )
  }
  render(<App />)
  await pass()
  expect(server.sockets).toEqual([])

  await act(enable)
  await pass()

  expect(client.state.status).toBe('live')
})

test('a filter that changes shows others', async () => {
  const { server, client, pass } = setting()
  server.create({ username: 'dave', joined_via: 'import' })
  server.create({ username: 'erin' })
  function Filtered({ joinedVia }: { joinedVia?: string }) {
    const { users } = useNotifications({ ...server.parts, filter: joinedVia ? { joinedVia } : {} })
    return <p>{users.map((user) => user.username).join(' ')}</p>
  }
  const page = (joinedVia?: string) => (
    <UsherProvider client={client}>
      <Filtered {...(joinedVia && { joinedVia })} />
    </UsherProvider>
  )
  const { container, rerender } = render(page())
  await pass()
  expect(container.textContent).toBe('erin dave')

  rerender(page('import'))
  await pass()

  expect(container.textContent).toBe('dave')
})

test('a hook outside of a provider says what is missing', () => {
  const server = new FakeServer()
  expect(() => render(<Page server={server} />)).toThrow('there is no <UsherProvider> above this component')
})
