// @vitest-environment happy-dom
/** The screen of clients/mobile/react-native, with stand-ins for what a phone brings, against the fake server. */
import { act, cleanup, render } from '@testing-library/react'
import { StrictMode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { App } from '../../../mobile/react-native/App'
import { setting } from './setting.js'

afterEach(cleanup)

function story({ refreshToken = '', isDown = false } = {}) {
  const { server, device, create, logIn, renewals, refuse } = setting()
  if (refreshToken) device.kept.set('usher.refresh', refreshToken)
  server.isDown = isDown
  /** The app's own form: who has filled it in is logged in. */
  const forms: (() => Promise<void>)[] = []
  const form = (): Promise<void> => new Promise((done) => void forms.push(() => act(() => logIn().then(done))))
  const { container, rerender } = render(<App logIn={() => form()} create={create} />, { wrapper: StrictMode })
  const again = (): void => rerender(<App logIn={() => form()} create={create} />)
  const pass = (ms = 0): Promise<void> => act(() => server.clock.advance(ms))
  const shows = (text: string): Promise<void> => act(() => vi.waitFor(() => expect(container.textContent).toBe(text))) // the feed counts on a clock of its own
  return { server, renewals, forms, again, refuse, pass, shows }
}

test('where nobody has logged in the form is shown, once, and nothing is read', async () => {
  const { server, renewals, forms, again, pass, shows } = story()
  await pass()
  again()
  await pass(600_000)

  await shows('Please log in again')
  expect(forms).toHaveLength(1)
  expect(server.requests).toEqual([])
  expect(renewals).toEqual([])

  await forms[0]!()
  await pass()
  server.create({ username: 'dave', full_name: null, email: null })
  await pass()

  await shows('Livedave  ')
  expect(forms).toHaveLength(1)
})

test('without a network nobody is asked to log in', async () => {
  const { server, forms, pass, shows } = story({ refreshToken: 'refresh-0', isDown: true })
  await pass()
  await shows('Reconnecting')
  await pass(60_000)
  expect(forms).toEqual([])

  server.isDown = false
  await pass(60_000)

  await shows('Live')
  expect(forms).toEqual([])
})

test('after the end of a session nothing is shown until somebody has logged in, and then all', async () => {
  const { server, forms, refuse, pass, shows } = story({ refreshToken: 'refresh-0' })
  await pass()
  server.create({ username: 'dave', full_name: null, email: null })
  await pass()
  await shows('Livedave  ')
  refuse(401)
  server.end(4102)
  await pass()

  await shows('Please log in again')
  expect(forms).toHaveLength(1)

  refuse(200)
  server.create({ username: 'erin', full_name: null, email: null })
  await forms[0]!()
  await pass()

  await shows('Liveerin  dave  ')
  expect(forms).toHaveLength(1)
})
